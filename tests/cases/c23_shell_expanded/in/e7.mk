# What only computes may be expanded once more: these are measured.
BASH = /bin/bash
FOUND = $(firstword $(wildcard /nowhere/bash ${BASH} /bin/sh))
OPTION = $(if $(filter pure.c,$@),-e,-u)
pure.a: SHELL = $(BASH)
pure.b: SHELL = $(FOUND)
pure.c: SHELL = ${FOUND} $(OPTION)
pure.a pure.b pure.c: ; @echo $@ $$0 $$-
	@false; echo reached
