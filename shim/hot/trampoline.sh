# Run by the makefile's own shell in place of a recipe line (the flags hook): becomes the shim.
exec "$@"
