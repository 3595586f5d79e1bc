# comment
all: b
	@echo all
b:
	@echo b

# a trailing comment
