MAKEFLAGS += -k -s --no-print-directory
all: bad good
bad: ; @false
good: ; echo good; $(MAKE) -f plainx
