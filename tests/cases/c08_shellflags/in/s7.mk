all: ; @echo $$-; false; echo not
	@echo '$(origin .SHELLFLAGS)' '$(flavor .SHELLFLAGS)'
