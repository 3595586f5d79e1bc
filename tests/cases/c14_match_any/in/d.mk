all: ; @echo all
.DEFAULT:
	@echo def $@ $<
