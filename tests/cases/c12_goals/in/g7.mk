.DEFAULT_GOAL = $(G)
a: ; @echo a
b: ; @echo b
G = b
