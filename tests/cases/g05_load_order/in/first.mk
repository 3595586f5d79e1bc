@INCLUDE@
X := $(shell echo x)
all: ; @echo $X $$0; :
	@echo simple '$(.DEFAULT_GOAL)'
nest: ; @$(MAKE) -s -f first.mk all SHELL=/bin/bash
