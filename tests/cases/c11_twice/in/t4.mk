all: ; @echo x; false; echo yes; y=1
	@echo "[$$y]"
@INCLUDE@
.ONESHELL:
