X = SHE
$(X)LL = /bin/bash
all: ; @env | grep ^SHELL=; :
	@echo $($(X)LL) $(origin $(X)LL) $(flavor $(X)LL) '$(value $(X)LL)' $(filter %LL,$(.VARIABLES)) $(filter .metr%,$(firstword $(.VARIABLES)))
