.SHELLFLAGS = -ec
all: ; @echo $$-; false; echo not
