/* The values that the Python modules have too; tests/hot/test_launcher_constants.py compares them. */

/* They stand here as values, for whoever reads this file, and are not generated at build time: a test is enough to keep
 * them true, and the build stays one call of the compiler. */
#define PROTOCOL "mm1"
#define COPY "launcher." /* how set-up's copy of the launcher is called; its content's digest follows */
#define PROOF ".runs" /* behind the name of that copy: the file that says where it ran */
#define ANSWER "mm1 runs" /* to the protocol alone: the shim runs here */
#define ASKS_FOR_CHANGES "environment" /* behind the protocol: what has the shell that asks changed? */
#define CHANGES "_make_metrics_changes" /* the variable by which that shell hands the answer on */
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
#define TRACED "traced" /* for the walk: lines get their TRACEPARENT */
#define UNKNOWN_SENDER -1 /* of a signal */
#define LOCK_PATIENCE_NS INT64_C(250000000)
#define LOCK_PAUSE_NS INT64_C(500000)
#define LOCK_PARTS 10 /* see lock() */
#define STARTER_LOCK_PARTS 100 /* the line that started the walk mostly waits alone, so it looks more often */
#define WALK_PATIENCE_NS INT64_C(10000000000)
#define HOST_PRIME UINT64_C(4294967291)
#define SPECIAL_CHARACTERS "#;\"*?[]&|<>(){}$`^~!" /* a line that holds one of these is no simple line */
#define PLAIN_CHARACTERS "._/+,@:=-" /* besides letters and digits, these are not percent-encoded in a record */
/* A line that begins with one of these is no simple line. Each make knows its own: those of 3.81, and those added
 * since. */
static const char *const shell_builtins[] = {
    ".", ":", "break", "case", "cd", "continue", "eval", "exec", "exit", "export", "for", "if", "login", "logout",
    "read", "readonly", "set", "shift", "switch", "test", "times", "trap", "umask", "wait", "while",
};
static const char *const builtins_of_3_82[] = {"ulimit", "unset"};
static const char *const builtins_of_4_3[] = {
    "alias", "bg", "command", "fc", "fg", "getopts", "hash", "jobs", "return", "type", "unalias",
};
static const char *const apple_shells[] = {"/bin/sh", "/bin/bash", "/bin/dash", "/bin/zsh", "/usr/local/bin/ash"};
static const char *const bourne_shells[] = {"sh", "bash", "dash", "ksh", "rksh", "zsh", "ash"};
/* The variables that the flags hook's intermediate shell changes. */
static const char *const changed_names[] = {"PWD", "OLDPWD", "_", "SHLVL"};
/* Some shells export such a PATH where make has none: busybox; ksh and mksh; posh. */
static const char *const invented_paths[] = {"/sbin:/usr/sbin:/bin:/usr/bin", "/usr/bin:/bin", "/bin:/usr/bin"};
static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
static const int ends_make[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int waited_for[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};

/* For the walk. */
#define WALK_LIFETIME_S 20
#define COMBINE "combine" /* in the command line of the Python walk: only combine records */
#define MANY_RECORDS 16
#define OLD_RECORD_S 86400
#define WEEK_NS INT64_C(604800000000000)
#define INVITATIONS_MAX 3
#define OWN_FILE_BYTES 65536
#define SETTINGS "make-metrics.toml"
#define GIT_FILE_BYTES 4096 /* of a file with a path, a reference or a commit */
#define GIT_PACKED_BYTES 33554432
#define GIT_SYMBOLIC_DEPTH 5
/* The variable that each CI service sets, and our name for the service. */
static const char *const ci_services[] = {
    "GITEA_ACTIONS", "gitea-actions", "GITHUB_ACTIONS", "github-actions", "GITLAB_CI", "gitlab-ci", "CIRCLECI",
    "circleci", "BUILDKITE", "buildkite", "TRAVIS", "travis-ci", "APPVEYOR", "appveyor", "BITBUCKET_BUILD_NUMBER",
    "bitbucket-pipelines", "CIRRUS_CI", "cirrus-ci", "DRONE", "drone", "TF_BUILD", "azure-pipelines",
    "TEAMCITY_VERSION", "teamcity", "JENKINS_URL", "jenkins", "HUDSON_URL", "hudson", "CODEBUILD_BUILD_ARN",
    "codebuild", "bamboo_planKey", "bamboo", "GO_PIPELINE_LABEL", "gocd", "BITRISE_IO", "bitrise",
    "BUDDY_WORKSPACE_ID", "buddy", "BUILDER_OUTPUT", "google-cloud-build", "CF_BUILD_ID", "codefresh", "CF_PAGES",
    "cloudflare-pages", "WORKERS_CI", "cloudflare-workers", "CM_BUILD_ID", "codemagic", "AC_APPCIRCLE", "appcircle",
    "APPCENTER_BUILD_ID", "app-center", "AGOLA_GIT_REF", "agola", "EARTHLY_CI", "earthly", "EAS_BUILD", "expo",
    "GERRIT_PROJECT", "gerrit", "HARNESS_BUILD_ID", "harness", "HEROKU_TEST_RUN_ID", "heroku-ci", "LAYERCI",
    "layerci", "NETLIFY", "netlify", "NEVERCODE", "nevercode", "PROW_JOB_ID", "prow", "SAILCI", "sail-ci",
    "SCREWDRIVER", "screwdriver", "SEMAPHORE", "semaphore", "SHIPPABLE", "shippable", "TASKCLUSTER_ROOT_URL",
    "taskcluster", "TDDIUM", "solano-ci", "VELA", "vela", "NOW_BUILDER", "vercel", "CI_XCODE_PROJECT",
    "xcode-cloud", "XCS", "xcode-server", "CI_NAME", "other", "RENDER_SERVICE_ID", "other", "ALPIC_HOST", "other",
    "KOKORO_BUILD_ID", "other", "SWARMING_TASK_ID", "other", "DSARI", "other", "JENKINS_SERVER_COOKIE", "jenkins",
};
/* Variables by which coding assistants announce themselves. */
static const char *const agent_variables[] = {
    "AI_AGENT", "AGENT", "CLAUDECODE", "CURSOR_AGENT", "GEMINI_CLI", "CODEX_SANDBOX", "CODEX_THREAD_ID",
    "CLINE_ACTIVE", "AUGMENT_AGENT", "OPENCODE", "OPENCODE_CLIENT", "GOOSE_TERMINAL", "TRAE_AI_SHELL_ID",
    "ANTIGRAVITY_AGENT", "QWEN_CODE", "COPILOT_CLI", "AMP_CURRENT_THREAD_ID", "OZ_RUN_ID", "PI_CODING_AGENT",
};
/* The variables that decide where our directories are. */
static const char *const dir_variables[] = {
    "MAKE_METRICS_HOME", "HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME",
};

/* For the sender. */
#define SENDER_VARIABLE "MAKE_METRICS_SENDER"
#define SENDER_DETACHED "detached"
#define SENDER_NONE "none"
#define SENDER_MAKE "MAKE_METRICS_SENDER_MAKE"
#define SENDER_GROUP "MAKE_METRICS_SENDER_GROUP"
#define SENDER_STATE "MAKE_METRICS_SENDER_STATE"
#define SENDER_PROJECT "MAKE_METRICS_SENDER_PROJECT"
#define SENDER_HELD "MAKE_METRICS_SENDER_LOCK"
#define SENDER_LOCK "sender.lock"
#define SENDER_WANTED "sender.wanted"
#define SENDER_RESTING "sender.resting"
#define SENDER_REST_S 360
#define SENDER_SPARE 15
/* Programs that are made to be process 1: they reap every orphan. */
static const char *const reapers[] = {
    "catatonit", "dinit", "docker-init", "dumb-init", "finit", "init", "openrc-init", "procd", "runit", "s6-svscan",
    "shepherd", "systemd", "tini",
};

/* These have no counterpart in Python. */
#define MOUNTS "/proc/self/mountinfo"
#define PROOF_BYTES 65536 /* of all mounts; make would read more for each make */
#define INITIAL_TIME_NAMESPACE UINT64_C(4026531834) /* the kernel's PROC_TIME_INIT_INO: most processes are in it */
#define NAME "make-metrics" /* in the list of processes, where that shows no words */
#define SENDER_PROGRAM "/sender/sender.py"
#define KEY_MAX 128 /* bytes of a process key with its NUL; a longer one is left to the Python shim */
#define NUMBER_DIGITS_MAX 6 /* digits of a number in the arguments; a longer one is left to the Python shim */
#define OPEN_FLAGS (O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROCESSES_MAX 8192 /* above a line; more are left to Python */
#define COMBINE_PAUSE_NS 30000000 /* a line that has ended by then would end the combining too */
