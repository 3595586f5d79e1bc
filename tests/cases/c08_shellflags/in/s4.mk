.SHELLFLAGS = -e -x -c
all: ; @echo $$-; false; echo not
	@echo simple
