SHELL := /bin/bash
all: ; @echo a:b c; echo "$$-"
	@echo a:b c
