SHELL = dash
all: ; @echo x $$0; :
	@echo 'a\nb'
