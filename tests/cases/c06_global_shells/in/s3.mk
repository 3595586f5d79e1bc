SHELL = perl
.SHELLFLAGS = -w -e
all: ; @print "x$$$$" =~ /x\d+/ ? "ok\n" : "no\n";
