all: ; @echo $${BASH_VERSION:+bash}; x=1
	@echo "[$$x]"
