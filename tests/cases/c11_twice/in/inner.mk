I := $(lastword $(MAKEFILE_LIST))
