a:: ; @echo 1 $@
a:: b ; @echo 2 $@
b:: ; @echo 3; exit 1
%:: ; @echo any $@
