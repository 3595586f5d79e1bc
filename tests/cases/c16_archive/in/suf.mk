.SUFFIXES: .txt .out
.txt.out: ; cat $< > $@; echo $*
all: h.out
