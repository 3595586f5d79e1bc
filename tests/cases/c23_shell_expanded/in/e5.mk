# A default goal, and what comes after the line.
.DEFAULT_GOAL = $(info goal expanded)all
all: ; @echo $@
	@echo $@; :
@INCLUDE@
SHELL = $(info expanded for $@)/bin/bash
