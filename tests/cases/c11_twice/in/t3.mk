all: ; @echo $${BASH_VERSION:+bash}; false; echo not
@INCLUDE@
SHELL = /bin/bash
.SHELLFLAGS = -ec
