"""One module for each command: parsed arguments in, an exit status out."""
