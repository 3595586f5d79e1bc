SHELL = /bin/sh # a shell
all: ; -nosuch in $@
	-./all
	@echo "$$0" $$-
	@echo a\b
