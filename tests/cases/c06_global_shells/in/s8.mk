SHELL = bash
export BASH_ENV = ./be.sh
all: ; @echo x $$0 $$FROM; :
