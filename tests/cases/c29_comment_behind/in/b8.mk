X := $(SHELL)
.SHELLFLAGS = -c #
all: ; -nosuch in $@
	-./all
	@echo "$$0" $$-
	@echo a\b
