O = a.o b.o
all: $(O) lib(m)
$(O): %.o: %.c ; @echo $@ $< $*
%.c: ; @echo make $@; touch $@
(%): ; @echo member $@ $%
