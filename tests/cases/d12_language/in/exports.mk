export LC_ALL = C
all: a b
a: ; nothere $(shell ./exports.mk)
b: ; ./exports.mk
