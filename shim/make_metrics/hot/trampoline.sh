# The makefile's own shell runs this in place of a recipe line (the flags hook); it becomes the shim.
[ -x "$1" ] && exec "$@"
# The shim cannot be executed any more: become the makefile's own shell. Its words, flags and line stand behind COUNT.
while [ "$1" != mm1 ]; do shift; done
shift 7
exec "$@"
