all: ; @echo all
include nope.inc
nope.inc: ; @echo failing; exit 3
