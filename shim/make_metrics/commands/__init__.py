"""One command a module: plain arguments in, an exit status out."""
