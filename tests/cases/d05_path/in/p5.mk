unexport PATH
all:
	-tool
	-/bin/echo x; /usr/bin/env | /usr/bin/grep ^PATH
	-ls Makefile
