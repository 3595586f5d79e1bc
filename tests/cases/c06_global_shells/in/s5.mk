SHELL = /nothere/sh
all: ; @echo x
	-echo x; :
