all: ; @echo $$0 '$(MAKEFILE_LIST)' '$(lastword $(MAKEFILE_LIST))'; :
include inner.mk
L := $(lastword $(MAKEFILE_LIST))
F := $(firstword $(MAKEFILE_LIST))
b: ; @echo '$L' '$F'
all: b
