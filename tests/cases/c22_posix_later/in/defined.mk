CC = gcc
CFLAGS = -O2
@INCLUDE@
# .POSIX: in a comment
a: FFLAGS = -O3
a:
	false; echo a-reached
b:
	echo $(CFLAGS) $(FFLAGS); false; echo b-reached
