export PATH := $(CURDIR)/b1:$(CURDIR)/b2:$(CURDIR)/b3:$(PATH)
all:
	-tool
	-tool; :
	@echo '$(shell tool)'
