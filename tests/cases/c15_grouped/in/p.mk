all: a.1 a.2
%.1 %.2: ; @echo both $@ $*; touch $*.1 $*.2
