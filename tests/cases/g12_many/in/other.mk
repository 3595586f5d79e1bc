# Another shell: make never runs a line itself.
SHELL := /bin/bash
include Makefile
.DEFAULT_GOAL := other
other: $(LONG)
	@echo $(words $^)
