X = SHE
export $(X)LL
all: ; @env | grep ^SHELL=; :
	@env | grep ^SHELL=; echo $($(X)LL)
	+@$(MAKE) -s -f plain.mk
