@INCLUDE@
all: a b
a:
	false; echo a-reached
b:
	echo $$-; test -z ""; false; echo b-reached
.POSIX:
