all: .SHELLFLAGS = -c # flags
all: ; -nosuch in $@
	-./all
	@echo "$$0" $$-
	@echo a\b
