all: a ; @echo $@
	@echo $@; :
a: ; @echo $@
	@echo $@; :
