all: ; @env | grep ^SHELL=; echo $(SHELL)
