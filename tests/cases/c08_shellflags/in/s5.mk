.SHELLFLAGS = $(if $(filter a,$@),-ec,-c)
all: a b
a: ; @false; echo a
b: ; @false; echo b
