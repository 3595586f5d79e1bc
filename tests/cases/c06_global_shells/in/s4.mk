SHELL = ./my.x
all: ; @a b  c
	echo "q r"
