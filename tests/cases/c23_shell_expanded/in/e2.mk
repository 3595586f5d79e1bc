COUNT :=
SHELL = $(eval COUNT := $(COUNT)x)/bin/sh
all: ; @echo $(COUNT)
	@echo $(COUNT); :
	@echo $(COUNT)
