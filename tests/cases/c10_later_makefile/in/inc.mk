@INCLUDE@
all: ; @echo $${BASH_VERSION:+bash}; x=1
	@echo "[$$x]"
include plain-a
