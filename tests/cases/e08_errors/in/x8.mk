a: ; @echo a
	@echo cont \
