a: ; @echo a
@INCLUDE@
ifdef X
