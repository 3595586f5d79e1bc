.hidden: ; @echo hidden
./x/y: ; @echo slash
%.o: ; @echo pattern
