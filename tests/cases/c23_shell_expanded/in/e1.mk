OLD_SHELL := $(SHELL)
SHELL = $(warning Building $@$(if $<, (from $<))$(if $?, ($? newer)))$(OLD_SHELL)
all: a b
	@echo all
a b:
	@true
	@echo $@; :
