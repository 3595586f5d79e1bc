SHELL := /bin/bash
all: c ; @echo $(UNDEF2) $@; :
c: ; @echo 'c d'
