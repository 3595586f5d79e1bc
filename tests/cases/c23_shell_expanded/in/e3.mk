COUNT :=
.SHELLFLAGS = $(eval COUNT := $(COUNT)x)$(info flags $(COUNT))-c
all: ; @echo $(COUNT)
	@echo $(COUNT); :
	@echo $(COUNT)
