INC := $(lastword $(MAKEFILE_LIST))
