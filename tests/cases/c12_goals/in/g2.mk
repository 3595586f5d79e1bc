a: ; @echo a
b: ; @echo b
@INCLUDE@
.DEFAULT_GOAL := b
