# make-metrics: a Makefile includes this file in its last line. Every recipe line is then timed; nothing else changes.
# GNU make 3.81 and 4.0 to 4.4; it does nothing in any other. Why it is made so: docs/decisions/0002 (the hook) and 0003
# (.ONESHELL).
#
# A project may set, before the include line:
#   METRICS_ONESHELL := 1        one shell for a whole recipe, where make has .ONESHELL
#   METRICS_SKIP := TARGET...    targets that make itself runs, unmeasured (% as in patterns)
#   METRICS_TRACEPARENT := 1     each line gets the TRACEPARENT of its target's span (docs/how-to/collector.md)
#
# All names begin with ".metrics.": make never exports a name that begins with a dot. $(value ...) stands in place of
# $(...) where a name may be undefined, for --warn-undefined-variables. Long lines are continued right behind the name
# of a function: there make drops blanks.

# BSD make takes the next line for a rule, and skips all from ".if" to the end of this file.
ifeq 'bmake: .NOTMAIN ' ''
.if 0
endif

# What a make may need only when it runs a recipe line, or never, stands between "define" and "endef": to read it so
# costs a tenth of what it costs as lines of a makefile. Section 14 decides which of these parts make reads, and when.
# Another file of ours may be read after one that waits: its parts would take the place of those.
ifdef .metrics.included
$(if $(value .metrics.read),$(.metrics.read))
$(if $(value .metrics.read.trying),$(.metrics.read.trying))
$(if $(value .metrics.read.encoding),$(.metrics.read.encoding))
$(if $(value .metrics.read.purity),$(.metrics.read.purity))
endif
.metrics.empty :=
.metrics.blank := $(.metrics.empty) $(.metrics.empty)
define .metrics.newline


endef
# Set-up writes each part as one line, as to read a line costs make as much as a hundred characters: this stands there
# between the lines. (It stands in no part itself.)
.metrics.joint := <>
.metrics.part = $(subst $(.metrics.joint),$(.metrics.newline),$(value .metrics.part.$1))

# --- 1. Where is this installation? Set-up writes its paths here; the source has none ---------------------------------
.metrics.baked.fragment :=
.metrics.baked.machine :=
# Whether a rule can name this file.
.metrics.baked.nameable :=
define .metrics.part.values
.metrics.baked.python :=
.metrics.baked.entry :=
.metrics.baked.launcher :=
.metrics.baked.copy :=
.metrics.baked.state :=
# The same as a line's shim gets it: no character in it is special to make or a shell.
.metrics.baked.handed :=
.metrics.baked.data :=
.metrics.baked.config :=
# --- end of set-up's values
endef

define .metrics.part.common
.metrics.digits := 0 1 2 3 4 5 6 7 8 9
.metrics.of.names := a b c d e f g h i j k l m n o p q r s t u v w x y z _ $(.metrics.digits)
.metrics.of.names += A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
.metrics.characters := $(.metrics.of.names) / . - + , @ = ~ :
.metrics.in.environment = $(filter environment%,$(origin $1))
# The files in the directory $1 that match the pattern $2; $1 may hold any character.
.metrics.files = $(wildcard $(subst $(.metrics.blank),\ ,$(subst ?,\?,$(subst *,\*,$(subst [,\[,$1))))$2)
# An included one too may be a pipe, if its name has no dot and is not a usual one.
.metrics.is.file = $(findstring akefile,$1)$(findstring .,$(notdir $1))$(filter \
  rules Rules Kbuild config version VERSION,$(notdir $1))
endef

# The rule must not become the default goal: make takes the first target that it reads. From 4.4 make does not remake a
# phony makefile. This file must not be remade: make repeats its message about a missing makefile, when it cannot make
# that one with -j, depending on how the last makefile to remake was included.
define .metrics.part.rule
.metrics.no.goal := $(if $(value .DEFAULT_GOAL),,1)
ifneq ($(value .EXTRA_PREREQS),)
$(.metrics.target): .EXTRA_PREREQS :=
endif
$(.metrics.target): ;
ifneq ($(filter shell-export,$(.FEATURES)),)
.PHONY: $(.metrics.target)
endif
ifeq ($(.metrics.no.goal),1)
.DEFAULT_GOAL :=
endif
endef

define .metrics.part.reading
$(eval $(call .metrics.part,values))
$(eval $(call .metrics.part,common))
# Any function over the words of a text may never end in make 4.0 if the text has a character that is not ASCII: its
# table of characters is read outside its bounds. There this file does nothing for such names.
.metrics.specials := % ' " \ $$ \# ( ) { } [ ] ; * ? & | < > ^ ! `
.metrics.not.ascii = $(eval .metrics.text := $$(subst $$(.metrics.blank),,$$1))$(strip $(foreach \
  .metrics.word,$(.metrics.characters) $(.metrics.specials),$(eval \
  .metrics.text := $$(subst $$(.metrics.word),,$$(.metrics.text)))))$(.metrics.text)
.metrics.strange :=
.metrics.setup :=
ifeq ($(.metrics.real),4.0)
.metrics.strange := $(call .metrics.not.ascii,$(MAKEFILE_LIST)$(value MAKECMDGOALS)$(value HOME)$(value PATH)$(value \
  MAKE_METRICS_HOME)$(value XDG_DATA_HOME)$(value XDG_CONFIG_HOME)$(value XDG_STATE_HOME)$(value LD_PRELOAD))
endif
ifneq ($(.metrics.strange),)
MAKEFILE_LIST := $(subst |.metrics|,,$(subst \
  $(.metrics.blank)$(.metrics.baked.fragment)|.metrics|,,$(MAKEFILE_LIST)|.metrics|))
else

# Another kind of machine may share this home. From 4.0 make knows the kind that it was built for; before, the system's
# loader tells it. Set-up on that machine has added its values, .metrics.for.KIND.NAME. Without these, nothing can be
# recorded: the programs of a foreign kind do not run. (On a Mac those of both kinds may.)
.metrics.host := $(if $(filter default,$(origin MAKE_HOST)),$(MAKE_HOST),$(if $(wildcard \
  /lib64/ld-linux-x86-64.so.2),x86_64)$(if $(wildcard /lib/ld-linux-aarch64.so.1),aarch64))
.metrics.kind := $(firstword $(subst -, ,$(.metrics.host)))
.metrics.kind := $(if $(filter x86_64 amd64 i%86,$(.metrics.kind)),x86,$(if $(filter \
  aarch64 arm%,$(.metrics.kind)),arm,$(.metrics.kind)))
.metrics.kinds := x86 arm powerpc64le riscv64 s390x
ifneq ($(filter-out $(.metrics.kind),$(.metrics.baked.machine)),)
ifneq ($(value .metrics.for.$(.metrics.kind).entry),)
$(foreach .metrics.word,python entry launcher copy state handed data config,$(eval \
  .metrics.baked.$(.metrics.word) := $$(value .metrics.for.$(.metrics.kind).$(.metrics.word))))
else ifeq ($(if $(filter $(.metrics.kinds),$(.metrics.kind)),$(filter $(.metrics.kinds),$(.metrics.baked.machine))),)
else ifeq ($(findstring darwin,$(.metrics.host)),)
$(foreach .metrics.word,python entry launcher copy,$(eval .metrics.baked.$(.metrics.word) :=))
endif
endif

# --- 2. What is this file's name? It is taken out of MAKEFILE_LIST ----------------------------------------------------
# Help targets search that list, and $(lastword $(MAKEFILE_LIST)) names the Makefile. A mark at the end of the list
# tells the last name from the same name earlier in the list.
.metrics.self := $(if $(.metrics.baked.fragment),$(findstring \
  $(.metrics.blank)$(.metrics.baked.fragment)|,$(MAKEFILE_LIST)|))
.metrics.self := $(if $(.metrics.self),$(.metrics.baked.fragment),$(lastword $(MAKEFILE_LIST)))
MAKEFILE_LIST := $(call .metrics.without,$(.metrics.self))

# --- 3. Does this file need a rule? With one, no "%:" or .DEFAULT rule remakes it -------------------------------------
.metrics.target := $(subst $(.metrics.blank),\ ,$(.metrics.self))
.metrics.name := $(subst $(.metrics.blank),|,$(.metrics.self))
# The makefile may be a named pipe, which can be read once only, and no function of make tells it from a file. A
# makefile's name tells it; by any other name it is not read again. On Linux those that make is reading are among its
# open files, and none of those is at its very beginning, but for a pipe.
.metrics.main := $(firstword $(MAKEFILE_LIST))
# A makefile may give this list another value, and hide what make has read. But what is being read now, from the main
# makefile to this one, must be among it; on Linux it is among what make has open. (Section 8 looks whether the main
# makefile gives it a value.)
.metrics.unlisted := $(if $(filter file,$(origin MAKEFILE_LIST)),,1)
.metrics.being.read = $(foreach .metrics.word,3 4 5 6 7 8,$(realpath /proc/self/fd/$(.metrics.word)))
.metrics.fragments := $(value .metrics.fragments) $(.metrics.self)
# With -O a make below one of 4.4 has the file open by which both take turns to print.
.metrics.mutex = $(patsubst --sync-mutex=fnm:%,%,$(filter --sync-mutex=%,$(MAKEFLAGS)))
ifeq ($(filter GNUmakefile makefile Makefile,$(.metrics.main)),)
.metrics.unlisted := $(strip $(.metrics.unlisted) $(foreach .metrics.word,$(filter-out /dev/% $(realpath \
  $(MAKEFILE_LIST) $(.metrics.fragments) $(.metrics.mutex)),$(.metrics.being.read)),$(if $(findstring \
  /GMfifo,$(.metrics.word))$(wildcard $(.metrics.word)/.),,1)))
endif
.metrics.once = $(if $(findstring akefile,$(.metrics.main)),,$(filter-out \
  %.mk %.mak %.make rules %/rules,$(.metrics.main)))$(.metrics.open.pipes)
.metrics.open.pipes = $(eval .metrics.open.pipes := $$(strip $$(if $$(.metrics.any.at.begin),$$(foreach \
  .metrics.word,$$(MAKEFILE_LIST),$$(if $$(filter $$(.metrics.at.begin),$$(realpath \
  $$(.metrics.word))),$$(.metrics.word))))))$(.metrics.open.pipes)
.metrics.at.begin = $(strip $(foreach .metrics.word,3 4 5 6 7 8,$(if $(filter 0,$(word \
  2,$(file </proc/self/fdinfo/$(.metrics.word)))),$(realpath /proc/self/fd/$(.metrics.word)))))
# Such a file begins with "pos:", a tab and the place. Mostly none is at its beginning, which one look at all shows.
.metrics.any.at.begin = $(findstring pos:	0,$(file </proc/self/fdinfo/3)$(file </proc/self/fdinfo/4)$(file \
  </proc/self/fdinfo/5)$(file </proc/self/fdinfo/6)$(file </proc/self/fdinfo/7)$(file </proc/self/fdinfo/8))
# make's options of one letter stand together in the first word of MAKEFLAGS, if it has any.
.metrics.letters := $(filter-out --%,$(firstword -$(MAKEFLAGS)))
ifeq ($(MAKE_VERSION),3.81)
# 3.81 has them behind long options too. What stands behind "--" are variables.
.metrics.letters := $(filter-out --%,$(filter -%,$(subst |, ,$(firstword $(subst \
  |--|, ,$(subst $(.metrics.blank),|,-$(MAKEFLAGS)|))))))
endif
# Shells' completions, editors and recipes that list targets read what -p prints together with -q or -n, and would show
# this file. There it gets no rule, unless a rule in the makefiles could be one for anything.
.metrics.listing :=
ifneq ($(.metrics.reads),)
.metrics.listing := $(and $(findstring p,$(.metrics.letters)),$(findstring q,$(subst n,q,$(.metrics.letters))))
endif
ifneq ($(.metrics.listing),)
.metrics.text := $(foreach .metrics.word,$(MAKEFILE_LIST),$(if $(and $(call \
  .metrics.is.file,$(.metrics.word)),$(filter-out /dev/% /proc/% $(.metrics.once),$(wildcard \
  $(.metrics.word)))),$(file <$(.metrics.word)),%:))
.metrics.listing := $(if $(.metrics.unlisted)$(findstring %:,$(subst \
  .DEFAULT:,%:,$(subst $(.metrics.blank),,$(.metrics.text)))),,1)
.metrics.text :=
endif
# No rule can name a file with one of these characters.
.metrics.unnameable = $(findstring :,$1)$(findstring ;,$1)$(findstring =,$1)$(findstring %,$1)$(findstring \
  $$,$1)$(findstring |,$1)$(findstring &,$1)
.metrics.no.rule.for = $(filter $(.metrics.name),$(value .metrics.ruled)) $(call .metrics.unnameable,$(.metrics.self))
ifeq ($(strip $(.metrics.no.rule.for))$(.metrics.listing),)
.metrics.ruled := $(value .metrics.ruled) $(.metrics.name)
$(eval $(call .metrics.part,rule))
endif

ifndef .metrics.included

# --- 4. Is recording off? Then this file is inert ---------------------------------------------------------------------
# The directories are those of make_metrics/files/user_dirs.py (tests/files/test_user_dirs.py compares them).
.metrics.absolute = $(if $(filter |/%,|$(subst $(.metrics.blank),_,$1)),$1)
# Apple's make 3.81, which does not name its platform, has a default for MAKEFILEPATH.
.metrics.mac := $(findstring darwin,$(.metrics.host))$(filter 3.81default,$(.metrics.real)$(origin MAKEFILEPATH))
.metrics.below.home = $(or $(call \
  .metrics.absolute,$(value $1)),$(value HOME)/$(if $(.metrics.mac),Library/Application Support,$2))/make-metrics
.metrics.default.data = $(call .metrics.below.home,XDG_DATA_HOME,.local/share)
.metrics.default.config = $(call .metrics.below.home,XDG_CONFIG_HOME,.config)
.metrics.data := $(or $(.metrics.baked.data),$(.metrics.default.data))
.metrics.data := $(if $(.metrics.home),$(.metrics.home)/data,$(.metrics.data))
.metrics.config := $(or $(.metrics.baked.config),$(.metrics.default.config))
.metrics.config := $(if $(.metrics.home),$(.metrics.home)/config,$(.metrics.config))
# Which system is this? From 4.0 make knows for which it was built. On any but Linux and macOS nothing is recorded:
# there nothing has been tried.
.metrics.system := $(if $(filter default,$(origin MAKE_HOST)),$(if $(findstring android,$(MAKE_HOST)),,$(findstring \
  linux,$(MAKE_HOST))$(findstring darwin,$(MAKE_HOST))),$(or $(.metrics.mac),$(if $(wildcard \
  /proc/sys/kernel/random/boot_id),linux)))
# If standard input is a directory, the interpreter ends before it runs our code. On Linux nothing tells makes apart but
# /proc: without it nothing is recorded.
# With -n, -q and -t make runs no recipe but those that remake a makefile, and "+" lines: nothing is recorded.
.metrics.dry := $(findstring n,$(.metrics.letters))$(findstring q,$(.metrics.letters))$(findstring \
  t,$(.metrics.letters))
.metrics.inert := $(.metrics.dry)$(filter off,$(value MAKE_METRICS))$(call \
  .metrics.files,$(.metrics.data)/off,)$(wildcard /dev/stdin/.)$(if \
  $(findstring linux,$(.metrics.host)),$(if $(wildcard /proc/self/stat),,no-proc))$(if $(.metrics.system),,unknown)
ifneq ($(call .metrics.absolute,$(.metrics.home)),$(.metrics.home))
.metrics.inert += relative
endif
# In CI (by the environment, as in make_metrics/environment.py) recording is off until somebody decides. If there is a
# decision for any project, the walk looks for this project's (make_metrics/project/root.py).
.metrics.ci.variables := GITEA_ACTIONS GITHUB_ACTIONS GITLAB_CI CIRCLECI BUILDKITE TRAVIS APPVEYOR
.metrics.ci.variables += BITBUCKET_BUILD_NUMBER CIRRUS_CI DRONE TF_BUILD TEAMCITY_VERSION JENKINS_URL HUDSON_URL
.metrics.ci.variables += CODEBUILD_BUILD_ARN bamboo_planKey GO_PIPELINE_LABEL BITRISE_IO BUDDY_WORKSPACE_ID
.metrics.ci.variables += BUILDER_OUTPUT CF_BUILD_ID CF_PAGES WORKERS_CI CM_BUILD_ID AC_APPCIRCLE APPCENTER_BUILD_ID
.metrics.ci.variables += AGOLA_GIT_REF EARTHLY_CI EAS_BUILD GERRIT_PROJECT HARNESS_BUILD_ID HEROKU_TEST_RUN_ID LAYERCI
.metrics.ci.variables += NETLIFY NEVERCODE PROW_JOB_ID SAILCI SCREWDRIVER SEMAPHORE SHIPPABLE TASKCLUSTER_ROOT_URL
.metrics.ci.variables += TDDIUM VELA NOW_BUILDER CI_XCODE_PROJECT XCS CI_NAME RENDER_SERVICE_ID
.metrics.ci.variables += ALPIC_HOST KOKORO_BUILD_ID SWARMING_TASK_ID DSARI JENKINS_SERVER_COOKIE
.metrics.ci := $(if $(value CI),$(if $(call .metrics.in.environment,CI),$(filter-out \
  || |0| |false|,|$(subst $(.metrics.blank),_,$(value CI))|)))
# Mostly none of them has a value, which shows at once. (A large makefile has many variables: .VARIABLES would be long.)
.metrics.ci.values = $(foreach .metrics.word,$(.metrics.ci.variables),$(if $(call \
  .metrics.in.environment,$(.metrics.word)),$(value $(.metrics.word))))
$(eval .metrics.ci += $$(if $$(strip $(patsubst %,$$(value %),$(.metrics.ci.variables))),$$(.metrics.ci.values)))
.metrics.decisions = $(call .metrics.files,$(.metrics.data)/on-this-machine,)$(call \
  .metrics.files,$(.metrics.config)/consent/,*.json)
ifneq ($(strip $(.metrics.ci)),)
ifeq ($(.metrics.decisions),)
.metrics.inert += ci
endif
endif

ifeq ($(.metrics.inert)$(.metrics.baked.fragment),)
# This is not set-up's copy: section 14 includes that copy if it exists, it has this machine's paths.
.metrics.setup := $(or $(if $(.metrics.home),$(.metrics.data)),$(value HOME)/.local/share/make-metrics)/metrics.mk
.metrics.setup := $(subst $(.metrics.blank),\ ,$(.metrics.setup))
.metrics.setup := $(if $(wildcard $(.metrics.setup)),$(.metrics.setup))
endif
endif
endif
endef

define .metrics.part.targets
# --- 5. Which of our targets are goals? Only those get a rule, also when recording is off -----------------------------
# Pattern rules: a project's own rule for the target goes first, without a warning. Of several patterns make takes the
# one with the shortest stem, then the first. Our stem is long, so a project's metrics-% or %-status goes first too.
.metrics.asked := $(filter metrics-opt-in metrics-opt-out metrics-status metrics-report,$(value MAKECMDGOALS))
ifneq ($(.metrics.asked),)
.metrics.cli := $(if $(.metrics.baked.python),$(.metrics.baked.python) -I -m make_metrics,make-metrics)
# With prerequisites it is the project's own target without a recipe. Any other goal has no rule, as without this file.
.metrics.command.line = $(if $^,,@$(.metrics.cli) $(patsubst metrics-%,%,$@))
.metrics.no.rule = $(if $(filter $@,$(MAKECMDGOALS)),$(error No rule to make target '$@'))
.metrics.run = $(if $(filter $(.metrics.asked),$@),$(.metrics.command.line),$(.metrics.no.rule))
$(foreach .metrics.word,$(.metrics.asked),$(eval $(patsubst metrics-%,m\%%,$(.metrics.word)): ; $$(.metrics.run)))
endif

# What -n prints, and which lines it runs, is the same as in the build: see section 8 for METRICS_ONESHELL.
ifneq ($(if $(.metrics.dry),$(if $(filter 4.%,$(.metrics.real)),$(value METRICS_ONESHELL))),)
ifeq ($(.metrics.inert),$(.metrics.dry))
.ONESHELL:
ifneq ($(filter default,$(origin .SHELLFLAGS)),)
.SHELLFLAGS := -ec
endif
endif
endif
endef

define .metrics.part.checkout
# A checkout or a copy of this file. The shim stands beside this file or beside the command; the interpreter beside the
# command, or in the environment that this file is installed in. A version manager's shims for the command and the
# interpreter are left out: they change the environment.
.metrics.here := $(dir $(abspath $(.metrics.self)))
.metrics.command := $(wildcard $(addsuffix /make-metrics,$(subst :, ,$(value PATH))))
.metrics.command := $(firstword $(filter-out %/shims/make-metrics,$(.metrics.command)))
.metrics.bin := $(dir $(realpath $(.metrics.command)))
.metrics.bins := $(.metrics.bin)
.metrics.bins += $(if $(filter %/site-packages/make_metrics/,$(.metrics.here)),$(.metrics.here)../../../../bin/)
.metrics.python := $(firstword $(wildcard $(addsuffix python3,$(.metrics.bins))))
# Search for the trampoline: a repository that copies this file may have its own entry.py beside it.
.metrics.packages := $(.metrics.here) $(.metrics.here)../shim/make_metrics/
.metrics.packages += $(if $(.metrics.bin),$(.metrics.bin)../lib/python3*/site-packages/make_metrics/)
.metrics.hot := $(firstword $(wildcard $(addsuffix hot/trampoline.sh,$(.metrics.packages))))
.metrics.entry := $(if $(.metrics.hot),$(dir $(.metrics.hot))../entry.py)
.metrics.python := $(if $(.metrics.python),$(abspath $(dir $(.metrics.python)))/$(notdir $(.metrics.python)))
.metrics.entry := $(abspath $(.metrics.entry))
endef

define .metrics.part.words
# --- 6. Where are the interpreter and the shim? -----------------------------------------------------------------------
.metrics.python := $(.metrics.baked.python)
.metrics.entry := $(.metrics.baked.entry)
$(if $(.metrics.baked.fragment),,$(eval $(call .metrics.part,checkout)))
.metrics.trampoline := $(dir $(.metrics.entry))hot/trampoline.sh
# The launcher, if set-up found that it can run here. It leaves rare cases to the interpreter, whose words follow.
.metrics.launcher := $(.metrics.baked.launcher)

# The paths of interpreter and shim stand in SHELL or .SHELLFLAGS unencoded: with a special character in one, nothing is
# recorded. (Set-up writes no such path.)
.metrics.ready := $(if $(and \
  $(realpath $(.metrics.python)),$(realpath $(.metrics.entry)),$(realpath $(.metrics.trampoline))),1)
ifeq ($(.metrics.baked.fragment),)
.metrics.ready := $(if $(filter 2,$(words $(.metrics.python) $(.metrics.entry))),$(.metrics.ready))
.metrics.ready := $(if $(call .metrics.special,$(.metrics.python)$(.metrics.entry)),,$(.metrics.ready))
endif
endef

define .metrics.part.text
# --- 7. How does a text become one word? No character in it is special to make's parser or a shell --------------------
.metrics.tab := $(.metrics.empty)	$(.metrics.empty)
.metrics.dollar := $$
.metrics.hash := \#
.metrics.backslash := \$(.metrics.empty)
.metrics.open := (
.metrics.close := )
# Not empty if $1 has a character to encode. To look for all of them costs less than half of replacing them.
.metrics.special = $(findstring $(.metrics.blank),$1)$(findstring $(.metrics.tab),$1)$(findstring \
  $(.metrics.newline),$1)$(findstring %,$1)$(findstring ',$1)$(findstring ",$1)$(findstring =,$1)$(findstring \
  $(.metrics.backslash),$1)$(findstring $(.metrics.dollar),$1)$(findstring $(.metrics.hash),$1)$(findstring \
  $(.metrics.open),$1)$(findstring $(.metrics.close),$1)$(findstring {,$1)$(findstring },$1)$(findstring \
  [,$1)$(findstring ],$1)$(findstring ;,$1)$(findstring *,$1)$(findstring ?,$1)$(findstring &,$1)$(findstring \
  |,$1)$(findstring <,$1)$(findstring >,$1)$(findstring `,$1)$(findstring ^,$1)$(findstring ~,$1)$(findstring \
  !,$1)$(findstring :,$1)
.metrics.encode = $(if $(.metrics.special),$(.metrics.read.encoding)$(.metrics.encode.all),$1)
.metrics.read.encoding = $(eval .metrics.read.encoding :=)$(eval $(call .metrics.part,encoding))
ifeq ($(.metrics.reads),)
.metrics.read.encoding :=
$(eval $(call .metrics.part,encoding))
endif
endef

define .metrics.part.makefiles
# The lines of the makefile $1 as words; ">" begins a recipe's line. Then patterns for those that are comments.
.metrics.lines = $(subst $(.metrics.newline), ,$(subst $(.metrics.tab),~,$(subst \
  $(.metrics.newline)$(.metrics.tab),$(.metrics.newline)>,$(subst $(.metrics.blank),~,$(subst \
  $(.metrics.backslash)$(.metrics.newline),~,$(.metrics.newline)$1)))))
.metrics.comments := $(.metrics.hash)% $(addsuffix $(.metrics.hash)%,~ ~~ ~~~~)
endef

# What section 7 needs for a text that has such a character.
define .metrics.part.encoding
.metrics.encode.1 = $(subst $(.metrics.newline),%0A,$(subst $(.metrics.tab),%09,$(subst \
  $(.metrics.blank),%20,$(subst %,%25,$1))))
.metrics.encode.2 = $(subst ',%27,$(subst ",%22,$(subst =,%3D,$(subst \
  $(.metrics.backslash),%5C,$(subst $(.metrics.dollar),%24,$(subst $(.metrics.hash),%23,$1))))))
.metrics.encode.3 = $(subst $(.metrics.open),%28,$(subst $(.metrics.close),%29,$(subst \
  {,%7B,$(subst },%7D,$(subst [,%5B,$(subst ],%5D,$1))))))
.metrics.encode.4 = $(subst ;,%3B,$(subst *,%2A,$(subst ?,%3F,$(subst \
  &,%26,$(subst |,%7C,$(subst <,%3C,$(subst >,%3E,$1)))))))
.metrics.encode.5 = $(subst `,%60,$(subst ^,%5E,$(subst ~,%7E,$(subst !,%21,$(subst :,%3A,$1)))))
.metrics.encode.all = $(call .metrics.encode.5,$(call .metrics.encode.4,$(call .metrics.encode.3,$(call \
  .metrics.encode.2,$(call .metrics.encode.1,$1)))))
endef

define .metrics.part.choice
# --- 8. Which hook? The SHELL hook where no makefile could show it, else the flags hook -------------------------------
# shell: SHELL names the shim, in front of the makefile's own words. flags: .SHELLFLAGS names the shim, and SHELL stays
# the makefile's.
.metrics.version := $(or $(value .metrics.as.version),$(.metrics.real))
# remake calls itself 4.3+dbg-1.5 and the like.
.metrics.version := $(if $(findstring +,$(.metrics.version)),,$(.metrics.version))
.metrics.features := $(or $(value .metrics.as.features),$(.FEATURES))
.metrics.reads := $(filter 4.2 4.2.% 4.3 4.3.% 4.4 4.4.%,$(.metrics.version))
.metrics.flags.hook := $(.metrics.reads)$(filter 4.0 4.1,$(.metrics.version))
.metrics.shell.hook := $(.metrics.reads)$(filter 3.81,$(.metrics.version))
.metrics.hook :=
# What make has read until here is the beginning of what it will have read, or a makefile has changed the list.
.metrics.listed := $(MAKEFILE_LIST)
.metrics.list.changed = $(if $(findstring x$(.metrics.listed),x$(MAKEFILE_LIST)),,1)
# The variable MAKEFILES may name this file. Make then reads it first, and any makefile may use SHELL afterwards.
# And section 14 may have looked already.
ifneq ($(filter $(.metrics.self),$(value MAKEFILES))$(if $(strip $(MAKEFILE_LIST)),,first)$(filter-out \
  $(.metrics.dollar),$(value .metrics.shown)),)
.metrics.shell.hook :=
endif

# The lines need make's own name, level and version. A makefile that sets these variables hides them. The name is still
# the first word of make's command line, where make can read that.
.metrics.make := $(if $(filter default,$(origin MAKE_COMMAND)),$(value MAKE_COMMAND))
ifeq ($(.metrics.make),)
ifneq ($(.metrics.reads),)
.metrics.make := $(file </proc/self/cmdline)
endif
endif
.metrics.ready := $(if $(.metrics.make),$(if $(filter-out default environment command,$(firstword \
  $(origin MAKE_VERSION)) $(firstword $(origin MAKELEVEL))),,$(.metrics.ready)))

ifeq ($(.metrics.ready),1)
ifneq ($(.metrics.shell.hook),)
.metrics.later :=
ifeq ($(.metrics.version),3.81)
# A program looks whether a makefile could show SHELL (hot/hides_shell.sh). Make starts it with SHELL as it is here,
# which must be a plain one meanwhile. (Makefile's names with special characters and a recursive SHELL are left alone.)
# No shell that may be macOS's /bin/sh warns of an LC_ALL that names no locale: bash 3.2, dash and zsh.
.metrics.look := $(filter command% environment% override,$(origin SHELL))$(findstring $(.metrics.dollar),$(value SHELL))
.metrics.look += $(if $(strip $(value SHELL)),,empty)
.metrics.look += $(.metrics.unlisted)$(foreach \
  .metrics.word,$(MAKEFILE_LIST),$(call .metrics.special,$(.metrics.word)))
.metrics.sh := $(notdir $(realpath /bin/sh))
.metrics.look += $(if $(filter dash busybox,$(.metrics.sh)),,$(value SHELLOPTS)$(if \
  $(.metrics.mac),,$(value LC_ALL)))
ifeq ($(strip $(.metrics.look) $(if $(realpath .),,removed)),)
.metrics.theirs := $(value SHELL)
.metrics.theirs.flavor := $(flavor SHELL)
ifneq ($(.metrics.theirs),/bin/sh)
SHELL := /bin/sh
endif
.metrics.hook := $(if $(filter \
  hidden,$(shell /bin/sh $(dir $(.metrics.entry))hot/hides_shell.sh $(MAKEFILE_LIST))),shell)
ifneq ($(.metrics.theirs),/bin/sh)
ifeq ($(.metrics.theirs.flavor),simple)
SHELL := $(.metrics.theirs)
else
$(eval define SHELL$(.metrics.newline)$(.metrics.theirs)$(.metrics.newline)endef)
endif
endif
endif
# It cannot be asked about a makefile that make reads later, when recipes run.
.metrics.later = $(subst x$(.metrics.listed),,x$(MAKEFILE_LIST))
else ifeq ($(filter-out default file,$(origin SHELL))$(value METRICS_ONESHELL),)
# A SHELL that calls "shell" refers to itself: make stops, and its message names the line that gives this value. One
# reference is followed.
.metrics.value := $(value SHELL)
ifneq ($(findstring $(.metrics.dollar),$(.metrics.value)),)
.metrics.value += $(foreach .metrics.word,$(subst \
  $(.metrics.close), ,$(subst $(.metrics.open), ,$(subst },$(.metrics.close),$(subst \
  {,$(.metrics.open),$(.metrics.value))))),$(value $(.metrics.word)))
endif
.metrics.loops := $(findstring $(.metrics.dollar)$(.metrics.open)shell,$(subst {,$(.metrics.open),$(.metrics.value)))
$(eval $(call .metrics.part,uses))
ifeq ($(if $(findstring $(.metrics.dollar),$(value SHELL)),,$(.metrics.is.odd.shell)),)
# Those with a usual name need no closer look: there may be hundreds.
.metrics.pipes := $(strip $(foreach .metrics.word,$(filter-out %.mk %.mak %.make %.d %akefile,$(MAKEFILE_LIST)),$(if \
  $(call .metrics.is.file,$(.metrics.word)),,1)))
.metrics.mentioned := $(findstring SHELL,$(value MAKECMDGOALS)$(subst \
  .SHELLFLAGS,,$(MAKEFLAGS)$(value -*-command-variables-*-)))
.metrics.hook := $(if $(or $(.metrics.loops),$(.metrics.mentioned),$(.metrics.once),$(.metrics.unlisted),$(or \
  $(.metrics.pipes),$(call .metrics.may.be.shown,$(MAKEFILE_LIST)))),,shell)
# A makefile that make reads after this one may use SHELL too: look at those when the first recipe line starts.
.metrics.later = $(eval .metrics.later := $(or $(.metrics.list.changed),$(call \
  .metrics.show,$(subst x$(.metrics.listed),,x$(MAKEFILE_LIST)))))$(.metrics.later)
endif
endif
endif
ifneq ($(.metrics.flags.hook),)
.metrics.hook := $(or $(.metrics.hook),flags)
endif
endif

# The project asked for one shell for a whole recipe: with -e an error ends the recipe, as it does line by line.
ifneq ($(and $(filter flags,$(.metrics.hook)),$(value METRICS_ONESHELL),$(filter oneshell,$(.metrics.features))),)
.ONESHELL:
ifneq ($(filter default,$(origin .SHELLFLAGS)),)
.SHELLFLAGS := -ec
endif
endif

# With .POSIX and default flags 4.4 chooses -c or -ec for each line by its "-" prefix. Our flags would end that.
ifeq ($(.metrics.hook),flags)
ifneq ($(filter shell-export,$(.metrics.features)),)
ifneq ($(filter default-ec,$(origin .SHELLFLAGS)$(value .SHELLFLAGS)),)
.metrics.hook :=
endif
endif
endif
# What is set before the include line counts, and what make was started with: no later value, and none of a target.
.metrics.level := m:$(MAKELEVEL):$(.metrics.real)
.metrics.goals := $(sort $(value MAKECMDGOALS))
.metrics.exempts := $(.metrics.asked)$(value METRICS_SKIP)
.metrics.traceparent := $(filter-out 0,$(value METRICS_TRACEPARENT))
.metrics.preload := $(if $(call .metrics.in.environment,LD_PRELOAD),$(value LD_PRELOAD))
endef

define .metrics.part.uses
$(eval $(call .metrics.part,makefiles))
# A value can stand behind the shim if no character in it is special, and no blank at its end: make compares it with
# /bin/sh. With references in it, that is asked for each line.
.metrics.bars = $(subst $(.metrics.blank),|,$1)
.metrics.no.words = $(if $(filter $(.metrics.bars),$(call .metrics.bars,$(strip $1))),$(call \
  .metrics.special,$(subst $(.metrics.blank),,$1)),1)
# Not empty if the value of SHELL cannot; the usual ones need no look at their characters.
.metrics.is.odd.shell = $(if $(filter |/bin/sh| |/bin/bash| |bash|,|$(value SHELL)|),,$(call \
  .metrics.no.words,$(value SHELL)))
# Does the makefile with the text $1 name MAKEFILE_LIST otherwise than to refer to it?
.metrics.changes.list = $(findstring MAKEFILE_LIST,$(subst $(.metrics.open)MAKEFILE_LIST,,$(subst \
  {MAKEFILE_LIST,,$1)))
# Could a makefile show SHELL? Each one is read again; one that cannot be read (standard input, a pipe) could. SHELL
# alone, not in another name, does no harm in a comment, in a line that gives it a value, behind "$$", and as a mere
# word of a recipe. Anything else may be a use.
.metrics.before = $(addprefix %,$(.metrics.of.names) . -) %$(.metrics.dollar)$(.metrics.dollar)
.metrics.behind = $(addsuffix %,$(.metrics.of.names) . -)
# $1 is the text of the line before SHELL, behind a "|"; $2 is the text behind SHELL. Both end at another SHELL.
.metrics.reference = $(findstring $(.metrics.dollar)$(.metrics.open),$1)$(findstring $(.metrics.dollar){,$1)
.metrics.gives.value = $(if $(filter | |>,$(subst ~,,$1)),$(filter =% :=% ::=% :::=% ?=% +=% !=%,$(subst ~,,$2)))
.metrics.mere.word = $(if $(filter |>%,$1),$(if $(findstring =,$1),,1),$(if \
  $(findstring $(.metrics.hash),$1),$(if $(findstring $(.metrics.backslash)$(.metrics.hash),$1),,1)))
.metrics.is.harmless = $(or $(if $(.metrics.reference),,$(.metrics.gives.value)$(.metrics.mere.word)),$(filter \
  $(.metrics.before),$1),$(filter $(.metrics.behind),$2))
.metrics.uses = $(foreach .metrics.word,$(join $(addprefix |,$(filter \
  %SHELL,$(subst SHELL,SHELL ,$1))),$(filter SHELL%,$(subst SHELL, SHELL,$1))),$(if $(call \
  .metrics.is.harmless,$(firstword $(subst SHELLSHELL, ,$(.metrics.word))),$(word \
  2,$(subst SHELLSHELL, ,$(.metrics.word)))),,SHELL))
.metrics.ends := $(.metrics.close) } : $(.metrics.dollar)
.metrics.in.comments = $(if $(findstring SHELL,$1),$(foreach .metrics.word,$(.metrics.ends),$(findstring \
  $(.metrics.open)SHELL$(.metrics.word),$1)$(findstring {SHELL$(.metrics.word),$1)))
.metrics.in.lines = $(call .metrics.in.comments,$(filter $(.metrics.comments),$1))$(call \
  .metrics.uses,$(filter-out $(.metrics.comments),$1))
# "export" alone exports a SHELL that has been given a value. With .ONESHELL make takes SHELL for one word.
.metrics.exports = $(if \
  $(filter-out /bin/sh,$(value SHELL))$(findstring SHELL,$1),$(findstring .EXPORT_ALL_VAR,$1)$(if \
  $(findstring export,$1),$(filter export >export export$(.metrics.hash)% export$(.metrics.dollar)%,$(subst \
  ~,,$(.metrics.lines)))))
.metrics.may.show = $(findstring ONESHELL,$1)$(findstring \
  .VARIABLES,$1)$(findstring $(.metrics.close)HELL,$1)$(findstring }HELL,$1)$(.metrics.exports)$(if $(findstring \
  SHELL,$(subst .SHELLFLAGS,,$1)),$(call .metrics.in.lines,$(.metrics.lines)))
# Most makefiles have none of these words: only one that has is read again, and handed on. Each function copies the text
# that it is given, and copies of megabytes cost more than to read a file again: so each file is looked at alone.
.metrics.may.use = $(or $(filter-out /bin/sh,$(value SHELL)),$(findstring HELL,$(file <$(.metrics.file))),$(findstring \
  .VARIABLES,$(file <$(.metrics.file))))
.metrics.show = $(if $(filter-out $(words $1),$(words $(wildcard $1)))$(filter /dev/% /proc/%,$1),SHELL,$(strip \
  $(foreach .metrics.file,$1,$(if $(.metrics.may.use),$(call .metrics.may.show,$(file <$(.metrics.file)))))))
# Could one of the makefiles $1 show SHELL, or hide another from this look?
.metrics.may.be.shown = $(or $(.metrics.show),$(if $(findstring MAKEFILE_LIST,$(file <$(.metrics.main))),$(call \
  .metrics.changes.list,$(file <$(.metrics.main)))))
endef

# Is a text pure (section 9)? Mostly no value has a "$", and nothing asks.
define .metrics.part.purity
# The references in the text $1, without what stands between them.
.metrics.references = $(filter $$%,$(subst $(.metrics.dollar), $(.metrics.dollar),$(subst \
  {,$(.metrics.open),$(subst },$(.metrics.close),$1))))
.metrics.pure := abspath addprefix addsuffix and basename dir filter filter-out findstring firstword if join
.metrics.pure += lastword notdir or patsubst realpath sort strip subst suffix wildcard word wordlist words
.metrics.pure.functions := $(addprefix $$$(.metrics.open),$(.metrics.pure)) $$@% $$<% $$*%
.metrics.is.impure = $(if $(word 9,$2),1,$(strip $(foreach \
  .metrics.reference,$(filter-out $(.metrics.pure.functions),$(.metrics.references)),$(call \
  .metrics.impure.reference,$(.metrics.reference),$(firstword $(subst \
  $(.metrics.close), ,$(patsubst $$$(.metrics.open)%,%,$(.metrics.reference)))),$2))))
# Not empty if $1 is more than a reference to the variable $2, or if that one is not pure.
.metrics.impure.reference = $(if $(findstring :,$2),1,$(if \
  $(findstring $$$(.metrics.open)$2$(.metrics.close),$1),$(if \
  $(filter recursive,$(flavor $2)),$(call .metrics.is.impure,$(value $2),$3 x)),1))
endef

define .metrics.part.lines
# What is found out at the first line only is kept in another variable. Make 3.81 would go on to read the old value of
# the variable that it expands, though "eval" had replaced it: that memory may hold anything by then, and make runs it.
# (Where only later makes come by, a variable is replaced by its own value.)
.metrics.kept.goal :=
.metrics.kept.meta :=
.metrics.kept.tried :=
.metrics.kept.exported :=

# --- 9. Which goal is a target made for? ------------------------------------------------------------------------------
# An expansion may print, run or define something: make's count of expansions must not change. So a value is expanded
# here only if it is pure: it refers to simple variables, to pure ones, and to functions that only compute.
# Not empty if the text $1 is not pure; $2 has a word for each level of references, in case they form a circle.
.metrics.impure = $(.metrics.read.purity)$(call .metrics.is.impure,$1,$2)
.metrics.read.purity = $(eval .metrics.read.purity :=)$(eval $(call .metrics.part,purity))
ifeq ($(.metrics.reads),)
.metrics.read.purity :=
$(eval $(call .metrics.part,purity))
endif

# One goal: all targets are made for it. Several goals: each goal has this variable, and its prerequisites inherit it.
# That gives the goals variables of their own, which make -p lists, and which make takes for a reason to ignore a global
# .EXTRA_PREREQS: then the order of the lines has to tell the goal (make_metrics/combine/run.py).
ifeq ($(.metrics.goals),)
# The default goal is known when the first recipe line starts; the include line may stand before the first target.
.metrics.default.goal = $(if $(findstring $(.metrics.dollar),$(value .DEFAULT_GOAL)),$(if $(call \
  .metrics.impure,$(value .DEFAULT_GOAL)),,$(.DEFAULT_GOAL)),$(value .DEFAULT_GOAL))
.metrics.goal = $(or $(.metrics.kept.goal),$(.metrics.find.goal))
.metrics.goal.name :=
.metrics.find.goal = $(eval .metrics.goal.name := $$(.metrics.default.goal))$(eval .metrics.kept.goal := $$(call \
  .metrics.encode,$$(.metrics.goal.name)))$(.metrics.kept.goal)
else ifeq ($(word 2,$(.metrics.goals)),)
.metrics.goal.name := $(.metrics.goals)
.metrics.goal := $(call .metrics.encode,$(.metrics.goals))
else
.metrics.goal :=
.metrics.goal.name = $(.metrics.goal)
ifeq ($(value .EXTRA_PREREQS)$(findstring p,$(.metrics.letters)),)
# Not for names that a rule would need quoted, and not for special targets.
.metrics.goals := $(foreach .metrics.word,$(.metrics.goals),$(if $(call \
  .metrics.special,$(.metrics.word)),,$(filter-out .%,$(patsubst ./%,%,$(.metrics.word)))))
$(foreach .metrics.word,$(.metrics.goals),$(eval $(.metrics.word): .metrics.goal := $(.metrics.word)))
endif
endif

# --- 10. Is this line measured, and which words does its shim get (make_metrics/hot/arguments.py)? --------------------
# Each line pays for what make expands here: it is little, and what is the same for all lines is put together once.
# make itself runs: what the project exempts; names with a character that make's parser takes for a blank and that is
# not encoded; and, with Apple's make, which searches the PATH that it was started with, lines that have another.
.metrics.exempt :=
ifneq ($(.metrics.exempts),)
.metrics.exempt = $(filter $(.metrics.asked) $(METRICS_SKIP),$@)
endif
.metrics.skip = $(.metrics.exempt)$(if $(word 2,$@),$(word 2,$(call .metrics.encode,$@)))
ifeq ($(.metrics.real),4.0)
.metrics.skip = $(or $(call .metrics.not.ascii,$@),$(.metrics.exempt)$(word 2,$(call .metrics.encode,$@)))
else ifeq ($(.metrics.real),3.81)
.metrics.skip = $(or $(.metrics.exempt)$(word 2,$(call .metrics.encode,$@)),$(if \
  $(filter a,$(.metrics.ifs)),$(filter-out environment%,$(origin PATH))))
endif
# Which program does the line start with? The launcher, which also runs lines where the interpreter is gone; else that.
.metrics.program = $(or $(wildcard $(.metrics.launcher)),$(.metrics.interpreter))
# macOS takes these variables from the environment of its own programs: of the shell that stands in front of each line
# there. A line that make starts without a shell keeps them: where one has a value, make itself runs the line.
ifneq ($(.metrics.mac),)
.metrics.protected := LIBRARY_PATH FRAMEWORK_PATH INSERT_LIBRARIES FALLBACK_LIBRARY_PATH FALLBACK_FRAMEWORK_PATH
.metrics.protected += VERSIONED_LIBRARY_PATH VERSIONED_FRAMEWORK_PATH ROOT_PATH IMAGE_SUFFIX FORCE_FLAT_NAMESPACE
.metrics.protected += SHARED_REGION SHARED_CACHE_DIR BIND_AT_LAUNCH PRINT_LIBRARIES PRINT_TO_FILE
.metrics.protected := $(addprefix DYLD_,$(.metrics.protected)) LD_LIBRARY_PATH
$(eval .metrics.program = $$(if $$(strip $(patsubst %,$$(value %),$(.metrics.protected))),,$(value .metrics.program)))
endif
.metrics.interpreter = $(if $(.metrics.preloads),,$(and \
  $(realpath $(.metrics.python)),$(wildcard $(.metrics.entry)),$(.metrics.python)))
# Also lines that may be longer than 128 KiB, where make may run them without a shell: a shim gets the line as one
# argument, which cannot be so long. The line is not known here. A target with very many prerequisites may have their
# names in it, even twice: their characters are counted, by a blank behind each one.
.metrics.long = $(if $(word 1500,$^),$(.metrics.is.long))
.metrics.is.long = $(strip $(eval .metrics.text := $$(subst $$(.metrics.blank),/,$$^))$(foreach \
  .metrics.word,$(.metrics.characters),$(eval .metrics.text := $$(subst \
  $$(.metrics.word),$$(.metrics.word) ,$$(.metrics.text))))$(word \
  64000,$(.metrics.text))$(filter-out $(.metrics.characters),$(.metrics.text)))

# A library that is preloaded into make may watch which programs it starts (bear), or replace them (fakechroot). It
# cannot enter the launcher, which is linked statically; it enters the interpreter. These libraries do neither, and the
# launcher sees the real clock:
ifneq ($(.metrics.preload),)
.metrics.harmless := %/libfaketime.so.1 %/libfaketimeMT.so.1 %libeatmydata.so %libfakeroot-sysv.so %libfakeroot-tcp.so
.metrics.preloaded := $(filter-out $(.metrics.harmless),$(subst :, ,$(.metrics.preload)))
.metrics.launcher := $(if $(.metrics.preloaded),,$(.metrics.launcher))
endif
# A library that a makefile preloads into lines may show how many programs load it. Where one more would, a second shell
# or the interpreter, make itself runs the line.
.metrics.preloads = $(filter-out environment% undefined,$(origin LD_PRELOAD))

# With an IFS of other characters than blanks make starts a shell for every line. A target may have its own.
.metrics.ifs.splits = $(subst $(.metrics.tab),,$(subst $(.metrics.newline),,$(subst $(.metrics.blank),,$(if \
  $(findstring $(.metrics.dollar),$(value IFS)),$(if $(call .metrics.impure,$(value IFS)),s,$(IFS)),$(value IFS)))))
# Apple's make 3.81 has a default for MAKEFILEPATH. It starts simple lines itself for more shells than /bin/sh.
.metrics.ifs := $(if $(filter 3.81default,$(.metrics.real)$(origin MAKEFILEPATH)),a,f)
.metrics.meta = $(or $(.metrics.kept.meta),$(.metrics.find.meta))
.metrics.find.meta = $(eval .metrics.kept.meta := $$(.metrics.level):$$(.metrics.own.name):$$(.metrics.ifs) h:$$(or \
  $$(.metrics.baked.handed),$$(call .metrics.encode,$$(.metrics.baked.state))))$(.metrics.kept.meta)
.metrics.own.name = $(if $(filter make %/make,$(.metrics.make)),$(if \
  $(word 2,$(.metrics.make)),$(.metrics.odd.name),make),$(.metrics.odd.name))
.metrics.odd.name = $(notdir $(call .metrics.encode,$(.metrics.make)))
.metrics.entered := $(.metrics.python) -I -S $(.metrics.entry) mm1
# What a target needs is handed over if it is little: its prerequisites; the order-only ones; and the newer ones, "=" if
# all are. "-" says that it is too much, or unknown; "." that it is nothing. All names are looked at in one go.
.metrics.blanks = $(subst $(.metrics.blank),%20,$1)
.metrics.needs = $(call .metrics.blanks,$^)%3B$(call .metrics.blanks,$|)%3B$(if \
  $(subst x$^,,x$?),$(call .metrics.blanks,$?),%3D)
.metrics.odd.needs = $(call .metrics.one.word,$(call .metrics.encode,$^;$|;$(if $(subst x$^,,x$?),$?,=)))
.metrics.one.word = $(if $(word 2,$1),,$1)
.metrics.are.odd = $(or $(call .metrics.special,$@$(subst $(.metrics.blank),,$^$|)),$(word \
  2,$(call .metrics.blanks,$^$|)))
# .metrics.start is the program; .metrics.asked.for stands between the target and what it needs.
.metrics.asked.for = g:$(.metrics.goal) $(.metrics.meta)$(.metrics.told) $(.metrics.as.found)/
.metrics.named = $(.metrics.encoded) $(.metrics.asked.for)-
ifneq ($(.metrics.reads),)
.metrics.named = $(if $^$|,$(if $(word 11,$^ $|),$(.metrics.encoded) $(.metrics.asked.for)-,$(if \
  $(.metrics.are.odd),$(.metrics.encoded) $(.metrics.asked.for)$(or \
  $(.metrics.odd.needs),-),$@ $(.metrics.asked.for)$(.metrics.needs))),$(.metrics.encoded) $(.metrics.asked.for).)
endif
# Often the target is the goal, which is encoded already. (Each of both texts is in the other one: they are the same.)
.metrics.encoded = $(if $(and $(findstring |$@|,|$(.metrics.goal.name)|),$(findstring \
  |$(.metrics.goal.name)|,|$@|)),$(.metrics.goal),$(call .metrics.encode,$@))
.metrics.words = $(.metrics.start:$(.metrics.python)=) $(.metrics.entered) t:$(.metrics.named) $(.metrics.count)
ifneq ($(.metrics.traceparent),)
.metrics.words = $(.metrics.start:$(.metrics.python)=) $(.metrics.entered) t:$(.metrics.named) +$(.metrics.count)
endif

# --- 11. Does the shim run here? The first lines of each make try it (make_metrics/hot/trampoline.sh) -----------------
# The result is the name of a file, with this process and the launcher in it; later lines need no second shell. Without
# such a name (before 4.2 make cannot read a file, some systems have no /proc) all lines are tried.
.metrics.state := $(if $(.metrics.home),$(.metrics.home)/state,$(or $(.metrics.baked.state),$(call \
  .metrics.below.home,XDG_STATE_HOME,.local/state)))
# The name of a file about a make, $2 is the text of its /proc/PID/stat: the process id first, its parent as word 4, the
# start time as word 22.
.metrics.file.of.make = $(if $(word 22,$2),$(.metrics.state)/makes/$1.$(.metrics.boot).$(firstword $2).$(word 22,$2))
.metrics.slash := /
# An absolute path that can stand in a command line as it is; else empty. A file of ours can where the state directory
# needs no encoding.
.metrics.path.as.is = $(if $(and $(.metrics.baked.handed),$(findstring \
  |$(.metrics.baked.handed)/makes/,|$1)),$1,$(if $(call .metrics.special,$1),,$(filter /%,$1)))
ifneq ($(.metrics.reads),)
.metrics.boot = $(eval .metrics.boot := $$(strip $$(file </proc/sys/kernel/random/boot_id)))$(.metrics.boot)
.metrics.stat = $(eval .metrics.stat := $$(file </proc/self/stat))$(.metrics.stat)
endif
# yes; no; python: only the interpreter does; empty: unknown yet. What follows from .metrics.part.trying waits, where
# mostly no line needs it.
.metrics.runs = $(if $(.metrics.proof),$(eval .metrics.runs := yes)yes,$(.metrics.read.trying)$(.metrics.find.runs))
.metrics.read.trying = $(eval .metrics.read.trying :=)$(eval $(call .metrics.part,trying))
# Set-up has put a copy of the launcher beside its fragment, which is named by its content: nothing writes to it, and no
# upgrade replaces it. When it first ran it left this boot's id and the table of all mounts (hot/in_c/recorder.c). As
# long as these are the same it runs here, and no line needs to try.
.metrics.proof :=
ifneq ($(and $(.metrics.baked.copy),$(.metrics.launcher),$(filter shell,$(.metrics.hook)),$(.metrics.reads)),)
.metrics.is.copy = $(filter $(.metrics.baked.copy),$(.metrics.launcher))
.metrics.proof = $(eval .metrics.launcher := $$(or \
  $$(wildcard $$(.metrics.baked.copy)),$$(.metrics.launcher)))$(eval \
  .metrics.proof := $$(if $$(.metrics.is.copy),$$(.metrics.unchanged)))$(.metrics.proof)
.metrics.unchanged = $(if $(value LD_PRELOAD)$(value LD_LIBRARY_PATH),,$(if $(wildcard $(.metrics.launcher).runs),$(if \
  $(subst x$(file <$(.metrics.launcher).runs),,x$(.metrics.boot)$(.metrics.newline)$(file </proc/self/mountinfo)),,1)))
endif
# Make splits simple lines itself only if the flags are one of these. With a blank more (of a comment behind the value,
# or of an empty reference in it) it starts a shell for every line, as with another IFS.
.metrics.split.flags := |-c||-ec||
.metrics.unsplit = $(subst :$(.metrics.ifs) h:,:s h:,$(.metrics.words))
# A line need not find out again what another line of this make has left in a file (hot/in_c/known_make.c). Before the
# third line there is none.
.metrics.told :=
ifneq ($(and $(.metrics.reads),$(.metrics.launcher),$(if $(.metrics.traceparent)$(.metrics.mac),,1)),)
.metrics.told = $(eval .metrics.told = $$(eval .metrics.told = $$$$(.metrics.find.told)))
.metrics.told.file = $(eval .metrics.told.file := $$(call .metrics.path.as.is,$$(call \
  .metrics.file.of.make,known,$$(.metrics.stat))))$(.metrics.told.file)
.metrics.find.told = $(if $(wildcard $(.metrics.told.file)),$(eval \
  .metrics.text := $$(file <$$(.metrics.told.file)))$(if $(filter ;,$(word 2,$(.metrics.text))),$(eval \
  .metrics.told := :$$(firstword $$(.metrics.text)))$(.metrics.told)))
endif
ifeq ($(and $(.metrics.reads),$(filter shell,$(.metrics.hook)),$(if $(findstring p,$(.metrics.letters)),,1)),)
.metrics.read.trying :=
$(eval $(call .metrics.part,trying))
endif
endef

# The rest of section 11: for a line that tries whether the shim runs, and for all lines of the flags hook.
define .metrics.part.trying
$(eval $(call .metrics.part,makefiles))
.metrics.mark.of = $(addsuffix .$(subst \
  $(.metrics.slash),+,$(.metrics.launcher)),$(call .metrics.file.of.make,tried,$1))
.metrics.mark :=
.metrics.tried.above :=
ifneq ($(.metrics.reads),)
.metrics.mark = $(eval .metrics.mark := $$(call .metrics.path.as.is,$$(call \
  .metrics.mark.of,$$(.metrics.stat))))$(.metrics.mark)
# A make below one whose lines run through this launcher does not try it again. Between both makes stand the launcher,
# and shells and scripts; one with a blank in its name is as if there were nothing above it.
ifeq ($(findstring m:0:,$(.metrics.level)),)
.metrics.above = $(call .metrics.above.of,$(word 4,$1),$2 x)
.metrics.above.of = $(call .metrics.or.above,$(if $(wildcard /proc/$1/stat),$(file </proc/$1/stat)),$2)
.metrics.or.above = $(if $(word 22,$1),$(or $(wildcard $(call .metrics.mark.of,$1)),$(if \
  $(word 6,$2),,$(.metrics.above))))
.metrics.tried.above = $(eval .metrics.tried.above := $(if $(.metrics.launcher),$$(call \
  .metrics.above,$$(.metrics.stat))))$(.metrics.tried.above)
endif
endif
.metrics.tried = $(or $(.metrics.kept.tried),$(.metrics.find.tried))
.metrics.find.tried = $(eval .metrics.kept.tried := $$(if $$(.metrics.baked.fragment),$$(call \
  .metrics.path.as.is,$$(dir $$(.metrics.baked.fragment))tried)))$(.metrics.kept.tried)
.metrics.try = $(.metrics.trampoline) $(.metrics.asks)$(if \
  $(.metrics.runs),-,$(or $(.metrics.mark),+)) $(or $(.metrics.tried),-)
# A second shell drops variables whose names are no shell's, and changes some others. No function of make tells what a
# makefile exports: where one may name such a variable behind "export" or "unexport", each line that a second shell
# passes on asks what was changed.
.metrics.asks := =
ifneq ($(.metrics.reads),)
.metrics.unread := $(.metrics.once)$(.metrics.unlisted)
.metrics.asks = $(eval .metrics.asks := $$(if $$(or \
  $$(.metrics.unread),$$(.metrics.list.changed),$$(findstring export,$$(MAKEFLAGS)),$$(strip $$(foreach \
  .metrics.file,$$(MAKEFILE_LIST),$$(call .metrics.may.drop,$$(.metrics.file))))),=))$(.metrics.asks)
.metrics.may.drop = $(if $(and $(.metrics.is.file),$(filter-out /dev/% /proc/%,$(wildcard $1))),$(if $(findstring \
  export,$(file <$1)),$(call .metrics.drops,$(call .metrics.named.exports,$(file <$1)))),unread)
.metrics.drops = $(filter PWD OLDPWD SHLVL _ $(addsuffix %,$(.metrics.digits)),$1)$(strip $(call \
  .metrics.plain.1,$(call .metrics.plain.2,$(call .metrics.plain.3,$1))))
.metrics.plain.1 = $(subst a,,$(subst b,,$(subst c,,$(subst d,,$(subst e,,$(subst f,,$(subst g,,$(subst h,,$(subst \
  i,,$(subst j,,$(subst k,,$(subst l,,$(subst m,,$(subst n,,$(subst o,,$(subst p,,$(subst q,,$(subst r,,$(subst \
  s,,$(subst t,,$(subst u,,$1)))))))))))))))))))))
.metrics.plain.2 = $(subst v,,$(subst w,,$(subst x,,$(subst y,,$(subst z,,$(subst A,,$(subst B,,$(subst C,,$(subst \
  D,,$(subst E,,$(subst F,,$(subst G,,$(subst H,,$(subst I,,$(subst J,,$(subst K,,$(subst L,,$(subst M,,$(subst \
  N,,$(subst O,,$(subst P,,$1)))))))))))))))))))))
.metrics.plain.3 = $(subst Q,,$(subst R,,$(subst S,,$(subst T,,$(subst U,,$(subst V,,$(subst W,,$(subst X,,$(subst \
  Y,,$(subst Z,,$(subst _,,$(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(subst 5,,$(subst 6,,$(subst \
  7,,$(subst 8,,$(subst 9,,$1)))))))))))))))))))))
# The names that stand between "export" and "=", or the line's end, in the makefile $1; without ":", "+" and their kind.
.metrics.named.exports = $(filter-out |,$(patsubst %!,%,$(patsubst %?,%,$(patsubst %+,%,$(patsubst \
  %:,%,$(patsubst %::,%,$(patsubst %:::,%,$(subst ~, ,$(foreach .metrics.word,$(filter \
  |%,$(subst export~, |~,$(filter-out $(.metrics.comments),$(.metrics.lines)))),$(firstword $(subst \
  =, ,$(.metrics.word))))))))))))
endif
.metrics.find.runs = $(if $(.metrics.mark),$(if \
  $(or $(wildcard $(.metrics.mark)),$(.metrics.tried.above)),$(eval .metrics.runs := yes)yes,$(if $(wildcard \
  $(.metrics.mark).py),$(eval .metrics.launcher :=)$(eval .metrics.runs := python)python,$(if $(wildcard \
  $(.metrics.mark).no),$(eval .metrics.runs := no)no))))
# An intermediate shell changes four variables. For each, what make would pass on: +value if it is in the environment;
# .value if a makefile may export it or not; - if it is unset; = (leave it) if its value would have to be expanded. What
# dash finds in its environment it passes on: there .value stands for the first as well, which "unexport" may name.
.metrics.exported = $(or $(.metrics.kept.exported),$(.metrics.find.exported))
.metrics.find.exported = $(eval \
  .metrics.kept.exported := $(if $(filter dash,$(notdir $(realpath /bin/sh))),.,+))$(.metrics.kept.exported)
.metrics.as.is = $(subst $(.metrics.slash),%2F,$(call .metrics.encode,$(value $1)))
.metrics.own = $(if $(and $(findstring $(.metrics.dollar),$(value $1)),$(filter recursive,$(flavor $1))),$(if $(call \
  .metrics.impure,$(value $1)),=,.$(subst $(.metrics.slash),%2F,$(call .metrics.encode,$($1)))),.$(.metrics.as.is))
.metrics.keep = $(if $(call .metrics.in.environment,$1),$(.metrics.exported)$(.metrics.as.is),$(if \
  $(filter undefined default,$(origin $1)),-,$(.metrics.own)))
.metrics.environment = e:$(call .metrics.keep,PWD)/$(call .metrics.keep,OLDPWD)/$(call \
  .metrics.keep,_)/$(call .metrics.keep,SHLVL)
# zsh adds LOGNAME to the environment of what it starts. On macOS a link tells which shell /bin/sh is.
.metrics.sh.adds = $(if $(value LOGNAME),,$(filter zsh,$(notdir $(realpath /bin/sh /private/var/select/sh))))
# A bash or ksh whose LC_ALL names no locale prints a warning at each start.
.metrics.locale = $(filter-out C POSIX C.%,$(value LC_ALL))
.metrics.locales = /usr/lib/locale/locale-archive $(foreach .metrics.word,$(.metrics.locale) $(subst \
  UTF-8,utf8,$(.metrics.locale)),/usr/lib/locale/$(.metrics.word) /usr/share/locale/$(.metrics.word))
.metrics.warns = $(if $(.metrics.locale),$(if \
  $(value LOCPATH)$(value LOCALE_ARCHIVE)$(wildcard $(.metrics.locales)),,1))
endef

define .metrics.part.shell
# --- 12. The SHELL hook: what is SHELL for a line? --------------------------------------------------------------------
# A bash that is called sh may print something at its start. In a removed directory every shell does.
.metrics.sh = $(notdir $(realpath /bin/sh))
.metrics.sh.shows = $(if $(filter dash busybox,$(.metrics.sh)),,$(value SHELLOPTS)$(.metrics.sh.adds)$(if $(filter \
  bash,$(.metrics.sh)),$(.metrics.warns)))
.metrics.may.try = $(if $(.metrics.sh.shows)$(.metrics.preloads),,$(realpath .))
# The makefile may set .SHELLFLAGS and IFS later, or for some targets.
.metrics.no.split = $(.metrics.ifs.splits)
ifneq ($(.metrics.version),3.81)
.metrics.no.split = $(if $(findstring \
  |$(value .SHELLFLAGS)|$(value IFS)|,$(.metrics.split.flags)),,$(.metrics.ifs.splits)$(.metrics.other.flags))
.metrics.other.flags = $(if $(findstring |$(value .SHELLFLAGS)||,$(.metrics.split.flags)),,$(if \
  $(findstring $(.metrics.dollar),$(value .SHELLFLAGS)),$(if \
  $(call .metrics.impure,$(value .SHELLFLAGS)),,$(if $(findstring \
  |$(.metrics.its.flags)||,$(.metrics.split.flags)),,1)),1))
.metrics.its.flags = $(.SHELLFLAGS)
# From 4.4 make forgets what a target's ".SHELLFLAGS +=" adds to: it expands the text behind "+=" alone.
ifneq ($(filter 4.4%,$(.metrics.real)),)
.metrics.its.flags = $(eval define .metrics.text$(.metrics.newline)$(value \
  .SHELLFLAGS)$(.metrics.newline)endef)$(.metrics.text)
endif
endif
# Once a line has tried, the next lines only ask for the program.
.metrics.as.found = $(if $(.metrics.runs),e:///,$(.metrics.environment))
.metrics.to.try = /bin/sh $(.metrics.try) $(.metrics.to.run)
.metrics.to.run = $(if $(.metrics.no.split),$(.metrics.unsplit),$(.metrics.words)) $(.metrics.empty)
.metrics.first.use = $(if $(filter no,$(.metrics.runs)),,$(if \
  $(or $(.metrics.runs),$(.metrics.may.try)),$(.metrics.program)))
.metrics.aside = $(.metrics.skip)$(.metrics.too.long)$(.metrics.later)$(.metrics.odd)
.metrics.first.line = $(if $(.metrics.aside),,$(foreach .metrics.start,$(.metrics.first.use),$(if \
  $(.metrics.runs),$(.metrics.to.run),$(.metrics.to.try))))
.metrics.later.line = $(if $(.metrics.aside),,$(foreach .metrics.start,$(.metrics.program),$(.metrics.to.run)))
.metrics.line = $(if $(filter yes,$(.metrics.runs)),$(eval \
  .metrics.line = $$(.metrics.later.line))$(.metrics.later.line),$(.metrics.first.line))
endef

define .metrics.part.own.shell
# Make 3.81 crashes at "unexport SHELL" if SHELL is not in its environment; if it is, it is not exported.
ifneq ($(.metrics.real),3.81)
unexport SHELL
endif
ifeq ($(findstring $(.metrics.dollar),$(value SHELL)),)
.metrics.shell := $(value SHELL)
.metrics.count := $(words $(.metrics.shell))
.metrics.odd :=
# Only with 3.81 this hook takes a shell with a blank behind it.
ifneq ($(subst $(.metrics.blank),|,$(.metrics.shell)),$(subst $(.metrics.blank),|,$(strip $(.metrics.shell))))
.metrics.ifs := s
endif
.metrics.too.long :=
ifneq ($(filter /bin/sh,$(.metrics.shell))$(filter a,$(.metrics.ifs)),)
.metrics.too.long = $(.metrics.long)
endif
SHELL = $(if $(value @),$(.metrics.line))$(.metrics.shell)
else
$(eval define .metrics.shell$(.metrics.newline)$(value SHELL)$(.metrics.newline)endef)
# An argument of "call" is expanded once, as make would expand SHELL.
.metrics.shim = $(if $(value @),$(.metrics.line))$1
.metrics.count = $(words $1)
.metrics.odd = $(call .metrics.no.words,$1)
.metrics.too.long = $(if $(filter /bin/sh,$1)$(filter a,$(.metrics.ifs)),$(.metrics.long))
SHELL = $(call .metrics.shim,$(.metrics.shell))
endif
endef

define .metrics.part.flags
# --- 13. The flags hook: what is .SHELLFLAGS for a line? --------------------------------------------------------------
ifeq ($(origin .SHELLFLAGS),default)
# A .POSIX after this line would make the default flags -ec. It also gives defaults to these two variables, which shows
# it. (From 4.4 it means -c for lines with a "-" prefix. The prefix is unknown here, so all lines get -ec.)
.metrics.default.flags := $(.SHELLFLAGS)
.metrics.flags = $(if $(filter default,$(origin SCCSGETFLAGS) $(origin FFLAGS)),-ec,$(.metrics.default.flags))
else ifeq ($(flavor .SHELLFLAGS),simple)
.metrics.flags := $(.SHELLFLAGS)
else
$(eval define .metrics.flags$(.metrics.newline)$(value .SHELLFLAGS)$(.metrics.newline)endef)
endif
# The makefile's SHELL as make has expanded it for this line; empty, so that make itself runs the line, where a second
# expansion could be noticed.
.metrics.shell = $(if $(and $(findstring $(.metrics.dollar),$(value SHELL)),$(filter recursive,$(flavor SHELL))),$(if \
  $(call .metrics.impure,$(value SHELL)),,$(SHELL)),$(value SHELL))
# From here on $2 is that shell, and $3 is the same without what stands in front of the shell's own name.
.metrics.is.bash = $(filter bash,$(notdir $(realpath $(firstword $3) /bin/$(notdir $(firstword $3)))))
# The hook takes only shells that run a script without side effects. With SHELLOPTS set any sh may be a bash that reads
# it, and a target may set SHELLOPTS for itself.
.metrics.bourne = $(if $(.metrics.sh.adds),,$(if $(.metrics.warns),$(if $(.metrics.is.bash),,sh),sh $(if \
  $(value BASH_ENV),,bash)))
.metrics.shells = dash ash $(if $(value SHELLOPTS),,$(if $(.metrics.warns),,ksh) $(.metrics.bourne))
# Options that change nothing for our script. Then letters that may stand together; x (and xtrace) would print what our
# script does, so +x stands in front of it.
.metrics.options := -e -u -eu -ue -o pipefail errexit nounset --norc --noprofile --posix
.metrics.options += -O extglob globstar nullglob xtrace noglob noclobber errtrace functrace
.metrics.letters.left = $(subst f,,$(subst C,,$(subst E,,$(subst T,,$(subst \
  o,,$(subst x,,$(subst u,,$(subst e,,$1))))))))
.metrics.options.left = $(filter-out -,$(call .metrics.letters.left,$(filter-out \
  $(.metrics.options),$(wordlist 2,99,$3))))
# A project's own tools/sh, or a script of that name elsewhere, may show how often it is started. Each name is looked up
# once, in PATH or in the directories $2. Only 4.2 and later can read a file.
.metrics.found = $(if $(findstring /,$1),$1,$(firstword $(wildcard $(addsuffix \
  /$1,$(subst :, ,$(or $2,$(value PATH),/bin:/usr/bin))))))
.metrics.is.script = $(if $(filter 4.0 4.1,$(.metrics.version)),1,$(filter \#!%,$(firstword $(file <$1))))
.metrics.is.own = $(if $(filter /%,$(filter-out $(CURDIR)/%,$1)),$(or $(filter \
  /bin/% /usr/bin/% /usr/local/bin/%,$1),$(if $(.metrics.is.script),,1)))
.metrics.shells.seen :=
.metrics.look = $(if $(filter %:$1:$2,$(.metrics.shells.seen)),,$(eval .metrics.shells.seen += $(if \
  $(call .metrics.is.own,$(call .metrics.found,$1,$2)),own):$1:$2))$(filter own:$1:$2,$(.metrics.shells.seen))
.metrics.is.known = $(or $(filter busybox,$(notdir $(firstword $3))),$(if $(.metrics.special),,$(.metrics.look)))
.metrics.is.plain = $(if $(.metrics.options.left),,$(and $(filter $(.metrics.shells),$(notdir $(firstword $3))),$(call \
  .metrics.is.known,$(firstword $3),$(call .metrics.path,$2),$2)))
.metrics.quiet = $(if $(findstring x,$(filter -%,$(filter-out -O,$(wordlist 2,99,$3))) $(filter xtrace,$3)),+x )
# In front of the shell may stand "env", "env -S", "env PATH=..." and "busybox". "env" is searched in the new PATH.
.metrics.path = $(patsubst PATH=%,%,$(filter PATH=%,$(word 2,$1)))
.metrics.path.is.plain = $(if $(call \
  .metrics.special,$(subst :,,$(.metrics.path))),,$(if $(findstring /,$(firstword $1)),1,$(firstword $(wildcard \
  $(addsuffix /env,$(subst :, ,$(.metrics.path)))))))
.metrics.behind = $(if $(filter env busybox,$(notdir $(firstword $1))),$(wordlist $(if \
  $(or $(filter -S,$(word 2,$1)),$(and $(.metrics.path),$(.metrics.path.is.plain))),3,2),99,$1),$1)
# make runs a line without a shell only with these two words; .metrics.flags may hold a reference.
.metrics.flags.are.default = $(or $(findstring $(.metrics.dollar),$(value .metrics.flags)),$(filter \
  -c -ec,$(value .metrics.flags)))
.metrics.direct = $(and $(filter /bin/sh,$2),$(.metrics.flags.are.default))
# In a removed directory every start of a shell prints a message: no second shell there.
.metrics.use = $(if $(.metrics.skip)$(if $(.metrics.direct),$(.metrics.long))$(filter no,$(.metrics.runs)),,$(and \
  $(.metrics.answer),$(realpath .),$(.metrics.program)))
# Mostly all lines have the same shell: its answer is kept with all that it follows from. (A target may set each of
# these for itself.) A second word of it says that "+x" has to stand in front of our script.
.metrics.circumstances = $2|$(value SHELLOPTS)|$(value BASH_ENV)|$(value LC_ALL)|$(value LOCPATH)|$(value \
  LOCALE_ARCHIVE)|$(value PATH)|$(CURDIR)|$(value LD_PRELOAD)|$(value IFS)|$(.metrics.values)
.metrics.values = $(value PWD)|$(value OLDPWD)|$(value _)|$(value SHLVL)
.metrics.known.for :=
.metrics.known :=
.metrics.learn = $(eval .metrics.known.for := $$(.metrics.circumstances))$(eval \
  .metrics.known := $$(if $$(.metrics.preloads),,$$(if $$(.metrics.is.plain),yes $$(.metrics.quiet))))$(eval \
  .metrics.splits $(if $(value IFS),= $$(.metrics.ifs.splits),:=))$(eval \
  .metrics.as.found $(if $(findstring $(.metrics.dollar),$(.metrics.values)),=,:=) $$(.metrics.environment))
.metrics.answer = $(if $(subst \
  x$(.metrics.known.for),,x$(.metrics.circumstances)),$(.metrics.learn))$(.metrics.known)
.metrics.count = $(words $2)
# $4 are the flags.
.metrics.split = $(if \
  $(findstring |$2|,|/bin/sh|),$(if $(.metrics.splits),,$(findstring |$4||,$(.metrics.split.flags))))
.metrics.handed = $(.metrics.try) $(if $(.metrics.split),$(.metrics.words),$(.metrics.unsplit)) $2
.metrics.shim = $(foreach .metrics.start,$(.metrics.use),$(if $(word 2,$(.metrics.known)),+x )$(.metrics.handed) )
# make-metrics doctor asks this, of any SHELL.
.metrics.plain = $(call .metrics.is.plain,,$(.metrics.shell),$(call .metrics.behind,$(.metrics.shell)))
.metrics.with.shell = $(call .metrics.shim,,$1,$(call .metrics.behind,$1),$2)
# An argument of "call" is expanded once, as make would expand .SHELLFLAGS.
.metrics.for.line = $(if $(value @),$(call .metrics.with.shell,$(.metrics.shell),$1))$1
.SHELLFLAGS = $(call .metrics.for.line,$(.metrics.flags))
endef

# Where nothing is unusual, sections 2 to 5 are as short as this.
define .metrics.part.usual
$(eval $(call .metrics.part,values))
ifndef .metrics.digits
$(eval $(call .metrics.part,common))
endif
.metrics.mac :=
.metrics.asked :=
.metrics.once :=
.metrics.unlisted :=
.metrics.ruled := $(.metrics.self)
.metrics.fragments := $(.metrics.self)
.metrics.data := $(if $(.metrics.home),$(.metrics.home)/data,$(.metrics.baked.data))
.metrics.inert := $(call .metrics.files,$(.metrics.data)/off,)$(wildcard \
  /dev/stdin/.)$(if $(wildcard /proc/self/stat),,no-proc)$(if \
  $(and $(.metrics.baked.entry),$(.metrics.data),$(or $(.metrics.home),$(.metrics.baked.state))),,no-values)
.metrics.ready :=
ifeq ($(.metrics.inert),)
ifndef .metrics.tab
$(eval $(call .metrics.part,text))
endif
$(eval $(call .metrics.part,words))
endif
endef

# A closer look, where a makefile gives SHELL a value or has a word with which it could show it: as section 8 does it.
define .metrics.part.look
$(eval $(call .metrics.part,common))
$(eval $(call .metrics.part,text))
$(eval $(call .metrics.part,uses))
.metrics.shown := $(or $(findstring $(.metrics.dollar),$(value SHELL)),$(.metrics.is.odd.shell),$(call \
  .metrics.may.be.shown,$(.metrics.listed)))
ifneq ($(value SHELL),/bin/sh)
.metrics.shell := $(value SHELL)
endif
endef

# What section 14 has left for the first recipe line. A target may give itself any variable: here and in the parts that
# follow stand only such of make's variables as each line may have of its own.
define .metrics.part.late
$(eval $(call .metrics.part,usual))
.metrics.version := $(.metrics.real)
.metrics.exempts :=
.metrics.traceparent :=
.metrics.count := 1
.metrics.odd :=
.metrics.too.long = $(.metrics.long)
ifdef .metrics.shell
.metrics.count := $(words $(.metrics.shell))
.metrics.too.long :=
endif
.metrics.list.changed = $(if $(findstring x$(.metrics.listed),x$(MAKEFILE_LIST)),,1)
.metrics.read.later = $(subst x$(.metrics.listed),,x$(MAKEFILE_LIST))
.metrics.later = $(eval .metrics.later := $(or $(.metrics.list.changed),$(if $(.metrics.read.later),$(eval \
  $(call .metrics.part,uses))$(call .metrics.show,$(.metrics.read.later)))))$(.metrics.later)
ifeq ($(.metrics.inert)$(.metrics.ready),1)
$(eval $(call .metrics.part,lines))
$(eval $(call .metrics.part,shell))
$(if $(.metrics.goal),)
endif
endef

# What follows when a make has decided which hook it takes.
define .metrics.part.hook
$(eval $(call .metrics.part,choice))
ifneq ($(.metrics.hook),)
$(eval $(call .metrics.part,lines))
ifeq ($(.metrics.hook),shell)
$(eval $(call .metrics.part,shell))
$(eval $(call .metrics.part,own.shell))
else
$(eval $(call .metrics.part,flags))
endif
endif
endef

# --- 14. Does this make do anything unusual? If not, all of the above waits for its first recipe line -----------------
.metrics.real := $(MAKE_VERSION)
.metrics.home := $(value MAKE_METRICS_HOME)
# From 4.2 make can read a file.
.metrics.reads := $(filter 4.2 4.2.% 4.3 4.3.% 4.4 4.4.%,$(.metrics.real))
.metrics.without = $(subst |.metrics|,,$(subst |.metrics|$1|.metrics|,,$(subst \
  $(.metrics.blank)$1|.metrics|,,|.metrics|$(MAKEFILE_LIST)|.metrics|)))
# The same names of CI services as in section 4: mostly none of them has a value.
define .metrics.in.ci
$(value CI)$(value GITEA_ACTIONS)$(value GITHUB_ACTIONS)$(value GITLAB_CI)$(value CIRCLECI)$(value \
  BUILDKITE)$(value TRAVIS)$(value APPVEYOR)$(value BITBUCKET_BUILD_NUMBER)$(value CIRRUS_CI)$(value DRONE)$(value \
  TF_BUILD)$(value TEAMCITY_VERSION)$(value JENKINS_URL)$(value HUDSON_URL)$(value CODEBUILD_BUILD_ARN)$(value \
  bamboo_planKey)$(value GO_PIPELINE_LABEL)$(value BITRISE_IO)$(value BUDDY_WORKSPACE_ID)$(value \
  BUILDER_OUTPUT)$(value CF_BUILD_ID)$(value CF_PAGES)$(value WORKERS_CI)$(value CM_BUILD_ID)$(value \
  AC_APPCIRCLE)$(value APPCENTER_BUILD_ID)$(value AGOLA_GIT_REF)$(value EARTHLY_CI)$(value EAS_BUILD)$(value \
  GERRIT_PROJECT)$(value HARNESS_BUILD_ID)$(value HEROKU_TEST_RUN_ID)$(value LAYERCI)$(value NETLIFY)$(value \
  NEVERCODE)$(value PROW_JOB_ID)$(value SAILCI)$(value SCREWDRIVER)$(value SEMAPHORE)$(value SHIPPABLE)$(value \
  TASKCLUSTER_ROOT_URL)$(value TDDIUM)$(value VELA)$(value NOW_BUILDER)$(value CI_XCODE_PROJECT)$(value XCS)$(value \
  CI_NAME)$(value RENDER_SERVICE_ID)$(value ALPIC_HOST)$(value KOKORO_BUILD_ID)$(value SWARMING_TASK_ID)$(value \
  DSARI)$(value JENKINS_SERVER_COOKIE)
endef
# Usual is: set-up's copy is the first file of ours that make reads; make is one that can read files, on Linux, with its
# own SHELL; it has one goal at most; and no variable or option asks for more, or makes the rest inert.
.metrics.unusual := 1
ifneq ($(.metrics.reads),)
.metrics.letters := $(filter-out --%,$(firstword -$(MAKEFLAGS)))
.metrics.unusual := $(value .metrics.self)$(value .metrics.as.version)$(value .metrics.as.features)$(value \
  MAKE_METRICS)$(value MAKEFILES)$(value METRICS_ONESHELL)$(value METRICS_SKIP)$(value \
  METRICS_TRACEPARENT)$(filter-out environment undefined,$(origin LD_PRELOAD))$(value .EXTRA_PREREQS)$(word \
  2,$(value MAKECMDGOALS))$(filter metrics-%,$(value MAKECMDGOALS))$(findstring \
  n,$(.metrics.letters))$(findstring q,$(.metrics.letters))$(findstring t,$(.metrics.letters))$(findstring \
  p,$(.metrics.letters))$(findstring \
  SHELL,$(value MAKECMDGOALS)$(MAKEFLAGS)$(value -*-command-variables-*-))$(filter-out /%,$(.metrics.home))
endif
ifeq ($(.metrics.unusual),)
.metrics.unusual := $(.metrics.in.ci)$(subst filedefaultdefaultdefaultfileenvironment,,$(patsubst \
  default,file,$(origin SHELL))$(origin MAKE_VERSION)$(origin MAKE_HOST)$(origin MAKE_COMMAND)$(origin \
  MAKEFILE_LIST)$(origin MAKELEVEL))$(findstring android,$(MAKE_HOST))$(if $(and $(findstring \
  linux,$(MAKE_HOST)),$(filter $(addsuffix -%,$(subst x86,x86_64 amd64,$(subst \
  arm,aarch64 arm%,$(.metrics.baked.machine)))),$(MAKE_HOST)),$(.metrics.baked.nameable)),,1)
endif
# All makefiles are there, have usual names, and none that is open is a pipe (see section 3). Of an open file Linux
# tells its place as word 2, and its flags as word 4: in front 02 if make itself has opened it, at the end 0000 if make
# only reads it. The first that make opens is the makefile, the last one this file; others are between them where a
# makefile includes another that includes this one.
ifeq ($(.metrics.unusual),)
.metrics.first := $(file </proc/self/fdinfo/3)
.metrics.listed := $(call .metrics.without,$(.metrics.baked.fragment))
.metrics.main := $(firstword $(.metrics.listed))
.metrics.unusual := $(subst x$(.metrics.baked.fragment),,x$(lastword $(MAKEFILE_LIST)))$(if $(filter \
  GNUmakefile makefile Makefile,$(.metrics.main)),,1)$(filter-out \
  %.mk %.mak %.make %.d %.Po %.Plo %akefile,$(.metrics.listed))$(filter \
  /dev/% /proc/%,$(.metrics.listed))$(filter-out \
  $(words $(.metrics.listed)),$(words $(wildcard $(.metrics.listed))))$(if $(and \
  $(filter-out 0,$(word 2,$(.metrics.first))),$(filter 02%,$(filter %0000,$(word 4,$(.metrics.first)))),$(if \
  $(word 2,$(.metrics.listed)),$(if $(file </proc/self/fdinfo/5),,1),1)),,$(strip $(foreach \
  .metrics.word,3 4 5 6 7 8,$(if \
  $(filter 0,$(word 2,$(file </proc/self/fdinfo/$(.metrics.word)))),$(filter \
  %0000,$(word 4,$(file </proc/self/fdinfo/$(.metrics.word))))))))
endif

ifeq ($(.metrics.unusual),)
# As sections 2 and 3 do it.
.metrics.included := 1
.metrics.self := $(.metrics.baked.fragment)
MAKEFILE_LIST := $(.metrics.listed)
.metrics.target := $(.metrics.self)
$(eval $(call .metrics.part,rule))
# Mostly no makefile has a word with which it could show SHELL. Each function copies the text that it is given: in the
# makefile, which may have megabytes, one looks for all such words; what it includes is looked at file by file.
ifneq ($(subst x/bin/sh,,x$(value SHELL))$(findstring HELL,$(subst .VARIABLES,HELL,$(subst \
  MAKEFILE_LIST,HELL,$(file <$(.metrics.main)))))$(strip $(foreach \
  .metrics.word,$(wordlist 2,9999999,$(.metrics.listed)),$(findstring HELL,$(file <$(.metrics.word)))$(findstring \
  .VARIABLES,$(file <$(.metrics.word))))),)
$(eval $(call .metrics.part,look))
endif
ifneq ($(value .metrics.shown),)
$(eval $(call .metrics.part,usual))
$(if $(.metrics.inert),,$(eval $(call .metrics.part,hook)))
else
# What make was started with counts, and no later value.
.metrics.hook := shell
.metrics.make := $(value MAKE_COMMAND)
.metrics.level := m:$(MAKELEVEL):$(.metrics.real)
.metrics.goals := $(value MAKECMDGOALS)
.metrics.preload := $(value LD_PRELOAD)
.metrics.read = $(eval .metrics.read :=)$(eval $(call .metrics.part,late))
.metrics.line :=
unexport SHELL
ifdef .metrics.shell
SHELL = $(if $(value @),$(.metrics.read)$(.metrics.line))$(.metrics.shell)
else
SHELL = $(if $(value @),$(.metrics.read)$(.metrics.line))/bin/sh
endif
endif

else
$(eval $(call .metrics.part,reading))
ifneq ($(.metrics.setup),)
include $(.metrics.setup)
endif
ifeq ($(value .metrics.included)$(.metrics.strange),)
.metrics.included := 1
$(eval $(call .metrics.part,targets))
ifeq ($(.metrics.inert),)
$(eval $(call .metrics.part,text))
$(eval $(call .metrics.part,words))
$(eval $(call .metrics.part,hook))
endif
endif
# What make -p prints is read by other programs, which would take a line of these for a rule.
ifneq ($(findstring p,$(value .metrics.letters)),)
$(foreach .metrics.word,$(filter .metrics.part.%,$(.VARIABLES)),$(eval $(.metrics.word) :=))
endif
endif

# The end of what BSD make skips. (It takes the last line for a recipe.)
.metrics.empty :=
ifeq 'bmake' ''
.endif
metrics.bmake: .NOTMAIN
	endif
