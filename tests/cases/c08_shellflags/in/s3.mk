a: .SHELLFLAGS = -xc
all: a b
a: ; @echo $$-; echo a $@
b: ; @echo $$-; echo b
