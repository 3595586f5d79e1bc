.ONESHELL:
SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
all:
	@x=(1 2 3)
	echo "$${x[1]}"
	false | true
	echo not
