a: ; @echo a
	$(warning careful $@)
	$(info info $@)
	false
