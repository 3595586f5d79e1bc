all: ; @echo all
include g2.inc
g2.inc: ; echo gen; echo 'W=1' > $@
