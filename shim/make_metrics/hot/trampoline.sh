# Run by the makefile's own shell in place of a recipe line (the flags hook): becomes the shim.
[ -x "$1" ] && exec "$@"
# The shim may not be executed any more: become the makefile's own shell, whose words, flags and line are behind COUNT.
while [ "$1" != mm1 ]; do shift; done
shift 7
exec "$@"
