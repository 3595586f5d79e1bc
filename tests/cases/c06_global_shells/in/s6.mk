SHELL = /tmp
all: ; @echo x; :
