.ONESHELL:
SHELL = /usr/bin/env bash
all:
	@x=(1 2 3)
	echo "$${x[1]}"
