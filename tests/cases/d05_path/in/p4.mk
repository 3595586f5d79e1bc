all: export PATH := $(CURDIR)/b3
all:
	-tool
	-nope
	-/bin/echo x
