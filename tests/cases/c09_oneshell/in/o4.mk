.ONESHELL:
SHELL = perl
.SHELLFLAGS = -e
all:
	@my $$x = 4;
	print "x $$x\n";
