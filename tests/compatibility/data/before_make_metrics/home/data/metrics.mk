# make-metrics: included by the last line of a Makefile, it has every recipe line of it timed, and changes nothing else.
# GNU make 3.81 and 4.0 to 4.4; does nothing with any other. How and why: docs/decisions/0002 (the hook), 0003 (.ONESHELL).
#
# A project may set, before the include line:
#   METRICS_ONESHELL := 1        one shell for a whole recipe, where make has .ONESHELL
#   METRICS_SKIP := TARGET...    targets that are run by make itself, unmeasured (% as in patterns)
#
# All names begin with ".metrics.": make never exports a name that begins with a dot. $(value ...) instead of $(...) where
# a name may be undefined, for --warn-undefined-variables.

.metrics.empty :=
.metrics.blank := $(.metrics.empty) $(.metrics.empty)

# --- 1. Set-up's copy has its values here -------------------------------------------------------------------------------
.metrics.baked.fragment := /srv/home/data/metrics.mk
.metrics.baked.python := /opt/make-metrics/bin/python3
.metrics.baked.entry := /opt/make-metrics/lib/python3.11/site-packages/shim/hot/entry.py
.metrics.baked.launcher := /opt/make-metrics/lib/python3.11/site-packages/shim/hot/launcher
.metrics.baked.state := /srv/home/state
.metrics.baked.data := /srv/home/data
.metrics.baked.config := /srv/home/config
# --- end of set-up's values

# --- 2. Leave no trace in MAKEFILE_LIST: help targets search it, $(lastword $(MAKEFILE_LIST)) names the Makefile ---------
# A mark at the end tells the last name from the same name earlier in the list.
.metrics.me := $(if $(.metrics.baked.fragment),$(if $(findstring $(.metrics.blank)$(.metrics.baked.fragment)|,$(MAKEFILE_LIST)|),$(.metrics.baked.fragment)))
.metrics.me := $(or $(.metrics.me),$(lastword $(MAKEFILE_LIST)))
MAKEFILE_LIST := $(subst |.metrics|,,$(subst $(.metrics.blank)$(.metrics.me)|.metrics|,,$(MAKEFILE_LIST)|.metrics|))

# --- 3. Never remade by "%:" or .DEFAULT rules, never the default goal (which make sets to the first target it sees) -----
# From 4.4 on make leaves a phony makefile out of those that it remakes. We have to be left out: whether it repeats what it
# said of a missing one, when it fails to make that with jobs, depends on how the last one of them was included.
.metrics.rule := $(subst $(.metrics.blank),\ ,$(.metrics.me))
.metrics.name := $(subst $(.metrics.blank),|,$(.metrics.me))
# A rule cannot be written for a name with these: then there is none.
.metrics.odd := $(foreach .metrics.one,: ; = % $$ | &,$(findstring $(.metrics.one),$(.metrics.me)))
ifeq ($(strip $(filter $(.metrics.name),$(value .metrics.ruled)) $(.metrics.odd)),)
.metrics.ruled := $(value .metrics.ruled) $(.metrics.name)
.metrics.no.goal := $(if $(value .DEFAULT_GOAL),,1)
$(.metrics.rule): .EXTRA_PREREQS :=
$(.metrics.rule): ;
ifneq ($(filter shell-export,$(.FEATURES)),)
.PHONY: $(.metrics.rule)
endif
ifeq ($(.metrics.no.goal),1)
.DEFAULT_GOAL :=
endif
endif

ifndef .metrics.included

# --- 4. Off? Where is everything? ----------------------------------------------------------------------------------------
.metrics.home := $(value MAKE_METRICS_HOME)
.metrics.data := $(or $(if $(.metrics.home),$(.metrics.home)/data),$(.metrics.baked.data),$(if $(value XDG_DATA_HOME),$(value XDG_DATA_HOME)/make-metrics),$(value HOME)/.local/share/make-metrics)
.metrics.config := $(or $(if $(.metrics.home),$(.metrics.home)/config),$(.metrics.baked.config),$(if $(value XDG_CONFIG_HOME),$(value XDG_CONFIG_HOME)/make-metrics),$(value HOME)/.config/make-metrics)
.metrics.found = $(wildcard $(subst $(.metrics.blank),\ ,$(subst ?,\?,$(subst *,\*,$(subst [,\[,$1))))$2)
# A directory as standard input ends the interpreter before it runs anything of ours.
.metrics.inert := $(filter off,$(value MAKE_METRICS))$(call .metrics.found,$(.metrics.data)/off,)$(wildcard /dev/stdin/.)
# In CI (the environment says so, as in shim/ceiling.py) nothing is assumed. Where anything was decided, for whatever
# project, the walk looks at this one's decision (shim/standing.py).
.metrics.ci := $(if $(filter environment%,$(origin CI)),$(filter-out || |0| |false|,|$(subst $(.metrics.blank),_,$(value CI))|))
.metrics.ci += $(foreach .metrics.one,TF_BUILD JENKINS_URL TEAMCITY_VERSION,$(if $(filter environment%,$(origin $(.metrics.one))),$(value $(.metrics.one))))
ifneq ($(strip $(.metrics.ci)),)
ifeq ($(call .metrics.found,$(.metrics.data)/on-this-machine,)$(call .metrics.found,$(.metrics.config)/consent/,*.json),)
.metrics.inert += ci
endif
endif

ifeq ($(.metrics.inert)$(.metrics.baked.fragment),)
# Not set-up's copy: that one serves if there is one, it knows where everything is.
.metrics.setup := $(subst $(.metrics.blank),\ ,$(or $(if $(.metrics.home),$(.metrics.data)),$(value HOME)/.local/share/make-metrics)/metrics.mk)
ifneq ($(wildcard $(.metrics.setup)),)
include $(.metrics.setup)
endif
endif
endif

ifndef .metrics.included
.metrics.included := 1

# --- 4a. metrics-opt-in and its like: there only when they are asked for, also when recording is off ----------------------
# Pattern rules: make takes a project's own rule for the target instead, without a word. Of patterns it takes the one with
# the shortest stem, then the first: the stem is long, so that a project's metrics-% or %-status goes before as well.
.metrics.asked := $(filter metrics-opt-in metrics-opt-out metrics-status metrics-report,$(value MAKECMDGOALS))
ifneq ($(.metrics.asked),)
.metrics.cli := $(if $(.metrics.baked.python),$(.metrics.baked.python) -I -m shim,make-metrics)
# With prerequisites it is the project's own target, without a recipe. Any other goal has no rule, as without us.
.metrics.run = $(if $(filter $(.metrics.asked),$@),$(if $^,,@$(.metrics.cli) $(patsubst metrics-%,%,$@)),$(if $(filter $@,$(MAKECMDGOALS)),$(error No rule to make target '$@')))
$(foreach .metrics.one,$(.metrics.asked),$(eval $(patsubst metrics-%,m\%%,$(.metrics.one)): ; $$(.metrics.run)))
endif

ifeq ($(.metrics.inert),)

.metrics.python := $(.metrics.baked.python)
.metrics.entry := $(.metrics.baked.entry)
ifeq ($(.metrics.baked.fragment),)
# A checkout or a copy: the shim stands beside this file, else beside the command; the interpreter beside the command, or
# in the environment that this file is installed in. A version manager's stand-ins for both change the environment: no.
.metrics.here := $(dir $(abspath $(.metrics.me)))
.metrics.command := $(firstword $(filter-out %/shims/make-metrics,$(wildcard $(addsuffix /make-metrics,$(subst :, ,$(value PATH))))))
.metrics.bin := $(dir $(realpath $(.metrics.command)))
.metrics.python := $(firstword $(wildcard $(addsuffix python3,$(.metrics.bin) $(if $(filter %/site-packages/shim/,$(.metrics.here)),$(.metrics.here)../../../../bin/))))
.metrics.entry := $(firstword $(wildcard $(.metrics.here)hot/entry.py $(.metrics.here)../shim/hot/entry.py $(if $(.metrics.bin),$(.metrics.bin)../lib/python3*/site-packages/shim/hot/entry.py)))
.metrics.python := $(if $(.metrics.python),$(abspath $(dir $(.metrics.python)))/$(notdir $(.metrics.python)))
.metrics.entry := $(abspath $(.metrics.entry))
endif
.metrics.trampoline := $(dir $(.metrics.entry))trampoline.sh
# The compiled fast path, where set-up found that it can run; it leaves to the interpreter behind it what is rare.
.metrics.launcher := $(.metrics.baked.launcher)

# --- 5. Any text as one word without a character that make's parser or a shell treats specially --------------------------
define .metrics.newline


endef
.metrics.tab := $(.metrics.empty)	$(.metrics.empty)
.metrics.dollar := $$
.metrics.hash := \#
.metrics.backslash := \$(.metrics.empty)
.metrics.open := (
.metrics.close := )
.metrics.encode.1 = $(subst $(.metrics.newline),%0A,$(subst $(.metrics.tab),%09,$(subst $(.metrics.blank),%20,$(subst %,%25,$1))))
.metrics.encode.2 = $(subst ',%27,$(subst ",%22,$(subst =,%3D,$(subst $(.metrics.backslash),%5C,$(subst $(.metrics.dollar),%24,$(subst $(.metrics.hash),%23,$1))))))
.metrics.encode.3 = $(subst $(.metrics.open),%28,$(subst $(.metrics.close),%29,$(subst {,%7B,$(subst },%7D,$(subst [,%5B,$(subst ],%5D,$1))))))
.metrics.encode.4 = $(subst ;,%3B,$(subst *,%2A,$(subst ?,%3F,$(subst &,%26,$(subst |,%7C,$(subst <,%3C,$(subst >,%3E,$1)))))))
.metrics.encode.5 = $(subst `,%60,$(subst ^,%5E,$(subst ~,%7E,$(subst !,%21,$(subst :,%3A,$1)))))
.metrics.encode = $(call .metrics.encode.5,$(call .metrics.encode.4,$(call .metrics.encode.3,$(call .metrics.encode.2,$(call .metrics.encode.1,$1)))))

# Interpreter and shim stand in SHELL or .SHELLFLAGS as they are: with a special character in them we do nothing.
.metrics.ready := $(if $(realpath $(.metrics.python)),$(if $(wildcard $(.metrics.entry)),$(if $(wildcard $(.metrics.trampoline)),1)))
.metrics.ready := $(if $(filter 2,$(words $(.metrics.python) $(.metrics.entry))),$(.metrics.ready))
.metrics.ready := $(if $(findstring %,$(call .metrics.encode,$(.metrics.python)$(.metrics.entry))),,$(.metrics.ready))

# --- 6. Which hook? ------------------------------------------------------------------------------------------------------
# shell: SHELL names the shim; where no makefile could show it. flags: .SHELLFLAGS names it; SHELL stays the makefile's.
.metrics.version := $(or $(value .metrics.as.version),$(MAKE_VERSION))
.metrics.features := $(or $(value .metrics.as.features),$(.FEATURES))
.metrics.flags.hook := $(filter 4.0 4.1 4.2 4.2.% 4.3 4.3.% 4.4 4.4.%,$(.metrics.version))
.metrics.shell.hook := $(filter 3.81 4.2 4.2.% 4.3 4.3.% 4.4 4.4.%,$(.metrics.version))
.metrics.hook :=

ifeq ($(.metrics.ready),1)
ifneq ($(.metrics.shell.hook),)
.metrics.later :=
ifeq ($(.metrics.version),3.81)
.metrics.hook := $(if $(filter command% environment% override,$(origin SHELL)),,shell)
else ifeq ($(filter-out default file,$(origin SHELL))/$(value SHELL)/$(value METRICS_ONESHELL)/,//bin/sh//)
# A makefile that cannot be read back (standard input, a removed file, a pipe) could mention anything.
.metrics.mentions = $(strip $(foreach .metrics.file,$1,$(if $(filter-out /dev/% /proc/%,$(wildcard $(.metrics.file))),$(findstring SHELL,$(file <$(.metrics.file))),SHELL)))
.metrics.hook := $(if $(findstring SHELL,$(value MAKECMDGOALS))$(call .metrics.mentions,$(MAKEFILE_LIST))$(if $(findstring --eval,$(MAKEFLAGS)),$(findstring SHELL,$(MAKEFLAGS))),,shell)
# So could one that is read after this: looked at when the first recipe line is about to run.
.metrics.seen := $(words $(MAKEFILE_LIST) .)
.metrics.later = $(eval .metrics.later := $(call .metrics.mentions,$(wordlist $(.metrics.seen),99999,$(MAKEFILE_LIST))))$(.metrics.later)
endif
endif
ifneq ($(.metrics.flags.hook),)
.metrics.hook := $(or $(.metrics.hook),flags)
endif
endif

# One shell for a whole recipe, as the project asked: with -e, so that an error ends it as it does line by line.
ifneq ($(and $(filter flags,$(.metrics.hook)),$(value METRICS_ONESHELL),$(filter oneshell,$(.metrics.features))),)
.ONESHELL:
ifneq ($(filter default,$(origin .SHELLFLAGS)),)
.SHELLFLAGS := -ec
endif
endif

# With .POSIX and flags of its own choice 4.4 has -ec or -c for each line by its "-", which flags set by us would end.
ifeq ($(.metrics.hook),flags)
ifneq ($(filter shell-export,$(.metrics.features)),)
ifneq ($(filter default-ec,$(origin .SHELLFLAGS)$(.SHELLFLAGS)),)
.metrics.hook :=
endif
endif
endif

ifneq ($(.metrics.hook),)
# --- 7. Which goal is a target made for? Its prerequisites inherit this from it ------------------------------------------
.metrics.goals := $(or $(value MAKECMDGOALS),$(.DEFAULT_GOAL))
.metrics.goals := $(foreach .metrics.goal.one,$(.metrics.goals),$(if $(findstring %,$(call .metrics.encode,$(.metrics.goal.one))),,$(filter-out .%,$(patsubst ./%,%,$(.metrics.goal.one)))))
$(foreach .metrics.goal.one,$(.metrics.goals),$(eval $(.metrics.goal.one): .metrics.goal := $(.metrics.goal.one)))
# Before the first target there is no default goal yet: it is then the one that all is made for.
.metrics.goal = $(if $(value MAKECMDGOALS)$(.metrics.goals),,$(.DEFAULT_GOAL))

# --- 8. The words that are handed over (shim/hot/handover.py) ------------------------------------------------------------
# Left to make itself: what the project exempts, targets with very many prerequisites (their lines may be such that only
# make can run them), and names with a character that make's parser takes for a blank and that is not encoded.
.metrics.skip = $(filter $(.metrics.asked),$@)$(if $(value METRICS_SKIP),$(filter $(METRICS_SKIP),$@))$(word 1500,$^)$(word 2,$(call .metrics.encode,$@))
.metrics.here.still = $(and $(realpath $(.metrics.python)),$(wildcard $(.metrics.entry)))
.metrics.meta := m:$(MAKELEVEL):$(MAKE_VERSION):$(call .metrics.encode,$(notdir $(MAKE_COMMAND))):$(if $(strip $(value IFS)),s,f) h:$(call .metrics.encode,$(.metrics.baked.state))
.metrics.launch = $(if $(.metrics.launcher),$(if $(wildcard $(.metrics.launcher)),$(.metrics.launcher) ))
.metrics.words = $(.metrics.launch)$(.metrics.python) -I -S $(.metrics.entry) mm1 t:$(call .metrics.encode,$@) g:$(call .metrics.encode,$(.metrics.goal)) $(.metrics.meta)
endif

ifeq ($(.metrics.hook),shell)
ifeq ($(flavor SHELL),simple)
.metrics.shell := $(SHELL)
else
$(eval define .metrics.shell$(.metrics.newline)$(value SHELL)$(.metrics.newline)endef)
endif
# An empty $@ is never a recipe line.
.metrics.use = $(if $(value @),$(if $(.metrics.skip)$(.metrics.later),,$(.metrics.here.still)))
unexport SHELL
SHELL = $(if $(.metrics.use),$(.metrics.words) e: $(words $(.metrics.shell)) )$(.metrics.shell)
endif

ifeq ($(.metrics.hook),flags)
ifeq ($(origin .SHELLFLAGS),default)
# A .POSIX further down would make them -ec, were ours not there; what else it does is to define these. (From 4.4 on it
# also means -c for lines with a "-", which are not known here: -ec for all of them then.)
.metrics.default.flags := $(.SHELLFLAGS)
.metrics.flags = $(if $(filter default,$(origin SCCSGETFLAGS) $(origin FFLAGS)),-ec,$(.metrics.default.flags))
else ifeq ($(flavor .SHELLFLAGS),simple)
.metrics.flags := $(.SHELLFLAGS)
else
$(eval define .metrics.flags$(.metrics.newline)$(value .SHELLFLAGS)$(.metrics.newline)endef)
endif
# What an intermediate shell changes in the environment: +value as make has it, .value the makefile's own, which it may
# export or not, - unset, = leave (a value that would have to be expanded).
.metrics.slash := /
.metrics.as.is = $(subst $(.metrics.slash),%2F,$(call .metrics.encode,$(value $1)))
.metrics.own = $(if $(findstring $(.metrics.dollar),$(value $1)),=,.$(.metrics.as.is))
.metrics.keep = $(if $(filter environment%,$(origin $1)),+$(.metrics.as.is),$(if $(filter undefined default,$(origin $1)),-,$(.metrics.own)))
.metrics.environment := e:$(call .metrics.keep,PWD)/$(call .metrics.keep,OLDPWD)/$(call .metrics.keep,_)/$(call .metrics.keep,SHLVL)
# Only shells that run a script without side effects, with plain options; also as "/usr/bin/env bash". Where SHELLOPTS
# is set any sh may be a bash, and a target may set it for itself.
# A bash whose LC_ALL names no locale says so each time it starts.
.metrics.locale = $(filter-out C POSIX C.%,$(value LC_ALL))
.metrics.locales = /usr/lib/locale/locale-archive $(foreach .metrics.one,$(.metrics.locale) $(subst UTF-8,utf8,$(.metrics.locale)),/usr/lib/locale/$(.metrics.one) /usr/share/locale/$(.metrics.one))
.metrics.warns = $(if $(.metrics.locale),$(if $(value LOCPATH)$(value LOCALE_ARCHIVE)$(wildcard $(.metrics.locales)),,1))
.metrics.is.bash = $(filter bash,$(notdir $(realpath $(firstword $(.metrics.interpreter)) /bin/$(notdir $(firstword $(.metrics.interpreter))))))
.metrics.bourne = $(if $(.metrics.warns),$(if $(.metrics.is.bash),,sh),sh $(if $(value BASH_ENV),,bash))
.metrics.shells = dash ash $(if $(value SHELLOPTS),,ksh $(.metrics.bourne))
.metrics.options := -e -u -eu -ue -o pipefail errexit nounset --norc --noprofile --posix
.metrics.interpreter = $(if $(filter env,$(notdir $(firstword $(SHELL)))),$(wordlist 2,99,$(SHELL)),$(SHELL))
.metrics.plain = $(if $(filter-out $(.metrics.options),$(wordlist 2,99,$(.metrics.interpreter))),,$(filter $(.metrics.shells),$(notdir $(firstword $(.metrics.interpreter)))))
# In a directory that is gone every start of a shell complains: no second one there.
.metrics.use = $(if $(value @),$(if $(.metrics.skip),,$(and $(.metrics.plain),$(realpath .),$(.metrics.here.still))))
.SHELLFLAGS = $(if $(.metrics.use),$(.metrics.trampoline) $(.metrics.words) $(.metrics.environment) $(words $(SHELL)) $(SHELL) )$(.metrics.flags)
endif

endif
endif
