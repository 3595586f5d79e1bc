.EXTRA_PREREQS := missing
all: one ; @echo made $@
one two: ; @echo made $@
