.EXPORT_ALL_VARIABLES:
V := 1
all: ; @env | sort | grep -v ^_=; :
	+@$(MAKE) -s -f plain.mk
