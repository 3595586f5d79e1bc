X = -eu
.SHELLFLAGS := $(X) -c
all: ; @echo $$-; false; echo not
