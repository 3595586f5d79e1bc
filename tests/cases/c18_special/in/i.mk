.IGNORE:
all: ; false
	exit 3
	nothere-x
