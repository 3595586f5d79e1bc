# Only what the makefile's own target-specific variables change.
.EXTRA_PREREQS := tick
one: .EXTRA_PREREQS :=
two: X := y
all: one two ; @echo made $@
one two: ; @echo made $@
tick: ; @echo $@
