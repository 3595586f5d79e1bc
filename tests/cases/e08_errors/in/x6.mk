a: ; @echo a
define X
foo
