.ONESHELL:
all:
	true
	echo two words
simple:
	echo one
all: simple
