/* The values that the Python modules have too; tests/hot/test_launcher_constants.py compares them. */

/* They stand here as values, for whoever reads this file, and are not generated at build time: a test is enough to keep
 * them true, and the build stays one call of the compiler. */
#define PROTOCOL "mm1"
#define ANSWER "mm1 runs" /* to the protocol alone: the shim runs here */
#define TITLE "make-metrics: line of make " /* in the list of processes; make's pid follows */
#define TARGET_FILE "make-metrics target " /* the name of a file in memory; the encoded target follows */
#define DEFAULT_SHELL "/bin/sh" /* it also runs scripts without "#!", as in make */
#define DEFAULT_PATH "/bin:/usr/bin"
#define RECORD_VERSION 1
#define ORPHAN 9 /* a fate: make was gone before the line ended */
#define NOT_A_MAKE "-" /* a verdict of the walk, in the marker in place of a run: nothing is recorded */
#define NO_MAKE_ABOVE "!" /* a verdict of the walk: the line is a run of its own */
#define ATTENDED "t" /* for the walk: somebody would see what this line prints at its end */
#define UNATTENDED "-"
#define LOCK_PATIENCE_NS INT64_C(250000000)
#define LOCK_PAUSE_NS INT64_C(500000)
#define LOCK_PARTS 10 /* see lock() */
#define STARTER_LOCK_PARTS 100 /* the line that started the walk mostly waits alone, so it looks more often */
#define WALK_PATIENCE_NS INT64_C(10000000000)
#define HOST_PRIME UINT64_C(4294967291)
#define SPECIAL_CHARACTERS "#;\"*?[]&|<>(){}$`^~!" /* a line that holds one of these is no simple line */
#define PLAIN_CHARACTERS "._/+,@:=-" /* besides letters and digits, these are not percent-encoded in a record */
/* A line that begins with one of these is no simple line. Each make knows its own: those of 3.81, and those added since. */
static const char *const shell_builtins[] = {
    ".", ":", "break", "case", "cd", "continue", "eval", "exec", "exit", "export", "for", "if", "login", "logout",
    "read", "readonly", "set", "shift", "switch", "test", "times", "trap", "umask", "wait", "while",
};
static const char *const builtins_of_3_82[] = {"ulimit", "unset"};
static const char *const builtins_of_4_3[] = {
    "alias", "bg", "command", "fc", "fg", "getopts", "hash", "jobs", "return", "type", "unalias",
};
static const char *const apple_shells[] = {"/bin/sh", "/bin/bash", "/bin/dash", "/bin/zsh", "/usr/local/bin/ash"};
/* The variables that the flags hook's intermediate shell changes. */
static const char *const changed_names[] = {"PWD", "OLDPWD", "_", "SHLVL"};
static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
static const int ends_make[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int waited_for[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};

/* These have no counterpart in Python. */
#define NAME "make-metrics" /* in the list of processes, where that shows no words */
#define KEY_MAX 128 /* bytes of a process key with its NUL; a longer one is left to the Python shim */
#define NUMBER_DIGITS_MAX 6 /* digits of a number in the arguments; a longer one is left to the Python shim */
#define OPEN_FLAGS (O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
