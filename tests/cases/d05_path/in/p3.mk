PATH := $(CURDIR)/b3:$(PATH)
all:
	-tool
	-tool; :
