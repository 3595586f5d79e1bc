.EXTRA_PREREQS = tick
all: one ; @echo made $@ $^
one two: ; @echo made $@ $^
tick: ; @echo $@
