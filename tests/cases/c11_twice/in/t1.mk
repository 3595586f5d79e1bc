@INCLUDE@
all: ; @echo $$0 '$(MAKEFILE_LIST)'
@INCLUDE@
