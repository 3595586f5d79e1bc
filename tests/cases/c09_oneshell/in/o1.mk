.ONESHELL:
all:
	@x=1
	@echo "[$$x]"
	-false
	cd /
	pwd
b: ; @exit 3
all: b
