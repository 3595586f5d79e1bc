# SHELL through other variables.
NAMED = $(NOTED)
NOTED = $(call note,bash)
note = $(info note for $@)/bin/$1
LOGGED = $(file >>log,line of $@)/bin/bash
a: SHELL = $(NAMED)
b: SHELL = ${LOGGED}
%.p: SHELL += $(info appended for $@)
all: a b c x.p ; @echo all
a b c: ; @echo $@
	@echo $@; :
x.p: ; @echo $@
	@echo $@; :
