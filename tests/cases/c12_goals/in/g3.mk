.PHONY: x
.SILENT:
.DEFAULT: ; @echo default $@
