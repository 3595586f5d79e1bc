# Says "hidden" if none of the makefiles named as arguments could show make's SHELL. Make 3.81 cannot read a file, and has
# no hook but SHELL: the fragment starts this once for each make of that version, while it is read.
#
# SHELL may be assigned; any other use of the name shows its value, as do an export of all variables and a list of them.
# Who changes MAKEFILE_LIST may hide makefiles from us.

exec 2>/dev/null
for _make_metrics_file; do [ -f "$_make_metrics_file" ] || exit 0; done # a pipe can be read once only
_make_metrics_shown=$(
	LC_ALL=C exec sed -n -e '/^#[^$]*$/d' -e 's/[A-Za-z0-9_.]SHELL/x/g' -e 's/SHELL[A-Za-z0-9_]/x/g' \
		-e 's/^ *SHELL *[:?]\{0,1\}=//' -e 's/^[^#$	 ][^#$=]*: *SHELL *[:?]\{0,1\}=//' -e '/SHELL/p' \
		-e '/^ *export[[:space:]]*$/p' -e '/^ *export[[:space:]]*#/p' -e /EXPORT_ALL_VARIABLES/p -e '/[.]VARIABLES/p' \
		-e '/^MAKEFILE_LIST/p' -e '/[^({]MAKEFILE_LIST/p' \
		"$@"
) && [ -z "$_make_metrics_shown" ] && echo hidden
