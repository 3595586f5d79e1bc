SHELL = python3
all: ; @print(1)
	@raise SystemExit(7)
