.SHELLFLAGS = -c
@INCLUDE@
a:
	false; echo a-reached
.POSIX:
