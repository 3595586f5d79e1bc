# What this is stands below the quick cases: a shell parses comments too, on each line.
case ${YASH_VERSION+${PATH-none}} in none) PATH=/bin:/usr/bin ;; esac
if [ -x "$3" ]; then
	case $1 in
	-)
		shift 2
		exec "$@"
		;;
	=*) ;;
	*/tried.*.*.*) # it holds the boot's id
		_make_metrics_boot=${1##*/tried.}
		_make_metrics_boot=${_make_metrics_boot%%.*}
		_make_metrics_try=$_make_metrics_boot:$3::${LD_PRELOAD-}:${LD_LIBRARY_PATH-}:
		if [ "$4" != -I ] && [ -c /dev/null ] && {
			[ "$2.launcher" -nt "$3" ] && [ "$2.launcher" -nt "${3%/*}" ] &&
				read -r _make_metrics_last <"$2.launcher" && [ "$_make_metrics_last" = "$_make_metrics_try" ]
		} 2>/dev/null; then
			shift 2
			exec "$@"
		fi
		;;
	esac
fi

# The shell between make and the shim. It tries whether the shim runs here, so that no line depends on a file that does
# not: on a foreign machine's program, behind a noexec mount, in a half-finished upgrade. Every line of the flags hook
# starts with it, and the first lines of each make with the SHELL hook.
#
#     trampoline.sh MARK TRIED [LAUNCHER] PYTHON -I -S ENTRY mm1 ...
#
# In front of MARK stands "=" where the makefiles may export what a shell drops or changes (names that are no shell's,
# PWD). There each line tries, and the program tells what this shell has changed (hot/arguments.py: CHANGES).
#
# MARK: "-" if a line of this make has tried, "+" if make cannot find the result, else the name of the result's file:
# MARK if all runs, MARK.py if only the interpreter does, MARK.no if nothing does. A launcher that was tried before
# leaves MARK itself, in the walk of the make's first line (hot/in_c/recorder.c). TRIED: the file that says when the
# interpreter was tried last, "-" for none; TRIED.launcher says it of the launcher. Trying takes as long as a line: it is
# done again only after a boot, or if something has changed. A mount with noexec shows at once: nothing there passes -x.
#
# The quick cases stand first, before what this shell would have to parse. Leaving MARK to the launcher costs no process.
# yash as sh has no "[" without a PATH: it gets make's default, which no program that is started sees. posh has no -nt.

# Become the makefile's own shell. Its words, flags and line stand behind COUNT.
_make_metrics_leave() {
	trap - EXIT
	while [ "$1" != mm1 ]; do shift; done
	[ "$# ${7#+} $8" != "10 1 /bin/sh" ] || _make_metrics_run_simple "$4" "$9" "${10}"
	shift 7
	exec "$@"
}
# Run a line that make would start without a shell, and end; does nothing for others (hot/split_words.py has the rule).
_make_metrics_run_simple() {
	case $1$2 in *:f-c | *:f-ec) ;; *) return 0 ;; esac
	case $3 in *["#;\"*?[]&|<>(){}\$\`^~!"]* | *]* | *"
"* | [" 	"]*) return 0 ;; esac
	_make_metrics_name=${3%%[" 	"]*}
	case $_make_metrics_name in
	"" | *[=\\\']* | . | : | alias | bg | break | case | cd | command | continue | eval | exec | exit | export) return 0 ;;
	fc | fg | for | getopts | hash | if | jobs | login | logout | read | readonly | return | set | shift) return 0 ;;
	switch | test | times | trap | type | ulimit | umask | unalias | unset | wait | while) return 0 ;;
	*/*)
		[ ! -x "$_make_metrics_name" ] || [ -d "$_make_metrics_name" ] || exec /bin/sh -c "exec $3"
		[ ! -e "$_make_metrics_name" ] || return 0 # a reason other than that there is no program
		;;
	*)
		_make_metrics_rest=${PATH-/bin:/usr/bin}:
		while [ -n "$_make_metrics_rest" ]; do
			_make_metrics_path=${_make_metrics_rest%%:*}/$_make_metrics_name
			_make_metrics_rest=${_make_metrics_rest#*:}
			[ ! -f "$_make_metrics_path" ] || [ ! -x "$_make_metrics_path" ] || exec /bin/sh -c "exec $3"
			[ ! -e "$_make_metrics_path" ] || return 0
		done
		;;
	esac
	# m:LEVEL:VERSION:MAKE:IFS
	_make_metrics_level=${1#m:} _make_metrics_rest=${1#m:*:}
	_make_metrics_level=${_make_metrics_level%%:*}
	case $_make_metrics_rest in
	[0-3].* | 4.[0-2]:* | 4.[0-2].*) _make_metrics_text="Command not found" ;;
	*) _make_metrics_text="No such file or directory" ;;
	esac
	_make_metrics_rest=${_make_metrics_rest#*:}
	_make_metrics_rest=${_make_metrics_rest%:*}
	[ "${_make_metrics_level:-0}" = 0 ] || _make_metrics_rest="$_make_metrics_rest[$_make_metrics_level]"
	echo "$_make_metrics_rest: $_make_metrics_name: $_make_metrics_text" >&2
	exit 127
}
# The shell runs a file that is no program as a script: nothing in it can write a file there.
_make_metrics_answers() {
	_make_metrics_answer=$(cd /proc || cd /; ulimit -f 0; exec "$@" mm1 $_make_metrics_asks </dev/null)
	case $_make_metrics_answer in
	"mm1 runs") ;;
	"mm1 runs|"*) _make_metrics_changes=${_make_metrics_answer#"mm1 runs"} ;;
	*) return 1 ;;
	esac
} 2>/dev/null
# Whether a program was tried since the boot, with the same libraries, and no file named has changed since:
#     _make_metrics_is_tried TRIED PROGRAM FILE...
_make_metrics_is_tried() {
	[ -z "$_make_metrics_asks" ] && [ "${1#-}" = "$1" ] && [ -x "$2" ] && read -r _make_metrics_last <"$1" || return 1
	[ "$_make_metrics_last" = "$_make_metrics_try" ] || return 1
	_make_metrics_file=$1
	shift
	for _make_metrics_path do
		[ "$_make_metrics_file" -nt "$_make_metrics_path" ] || return 1
	done
} 2>/dev/null
# Write a text into a file of ours. A limit of file size, or of open files, may end the subshell.
_make_metrics_write() {
	case $1 in /*) ;; *) return 0 ;; esac
	[ ! -L "${1%/*}" ] && [ ! -L "${1%/*/*}" ] || return 0 # a link may lead to another user's directory
	[ -d "${1%/*}" ] || { [ -O "${1%/*/*}" ] && mkdir -m 700 "${1%/*}"; } || return 0
	[ -O "${1%/*}" ] || return 0
	(umask 077; if [ -n "$2" ]; then echo "$2"; fi >"$1") || :
} 2>/dev/null

[ -c /dev/null ] || _make_metrics_leave "$@" # in a chroot without devices root would make it, as a file
# No room for another process ends the shell.
trap '_make_metrics_leave "$@"' EXIT
_make_metrics_asks= _make_metrics_changes=
case $1 in
=*)
	_make_metrics_asks=environment _make_metrics_mark=${1#=}
	shift
	set -- "$_make_metrics_mark" "$@"
	;;
esac
if [ "$1$_make_metrics_asks" != - ]; then
	_make_metrics_mark=$1 _make_metrics_tried=$2 _make_metrics_result=
	case $1 in
	*/tried.*.*.*) # it holds the boot's id
		_make_metrics_boot=${1##*/tried.}
		_make_metrics_boot=${_make_metrics_boot%%.*}
		;;
	*)
		_make_metrics_boot=-
		read -r _make_metrics_boot 2>/dev/null </proc/sys/kernel/random/boot_id || :
		;;
	esac
	if [ "$4" != -I ]; then # there is a launcher
		_make_metrics_try=$_make_metrics_boot:$3::${LD_PRELOAD-}:${LD_LIBRARY_PATH-}:
		if _make_metrics_is_tried "$_make_metrics_tried.launcher" "$3" "${3%/*}"; then
			_make_metrics_result=all _make_metrics_mark= # the launcher leaves it: that costs no process
		elif _make_metrics_answers "$3"; then
			_make_metrics_result=all
			_make_metrics_write "$_make_metrics_tried.launcher" "$_make_metrics_try"
		else
			shift 3
			set -- - - "$@"
			_make_metrics_result=.py
		fi
	fi
	if [ "$_make_metrics_result" != all ]; then
		shift 2
		_make_metrics_try=$_make_metrics_boot:$1:$4:${LD_PRELOAD-}:${LD_LIBRARY_PATH-}:
		if _make_metrics_is_tried "$_make_metrics_tried" "$1" "${1%/*}" "$4" "${4%/*}" "${4%/*}/hot"; then
			:
		elif _make_metrics_answers "$1" -I -S "$4"; then
			_make_metrics_write "$_make_metrics_tried" "$_make_metrics_try"
		else
			_make_metrics_result=.no
		fi
		set -- - - "$@"
	fi
	_make_metrics_write "$_make_metrics_mark${_make_metrics_result#all}" ""
	[ "$_make_metrics_result" != .no ] || _make_metrics_leave "$@"
fi
shift 2
# A text that is too long for the system would fail the line.
[ -z "$_make_metrics_changes" ] || [ ${#_make_metrics_changes} -gt 100000 ] || export _make_metrics_changes
[ ! -x "$1" ] || exec "$@"
_make_metrics_leave "$@"
