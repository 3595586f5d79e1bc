SHELL := /bin/bash -e -u
all: ; @echo $$- ; false; echo not
b: ; @echo b
all: b
