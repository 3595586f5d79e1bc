"""What an environment allows us to do with a run's events, and which CI service set it up.

The walk imports this while a recipe line may be waiting: it imports nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping

ORDER = ("off", "local", "on")


def do_not_track(environ: Mapping[str, str]) -> bool:
    """Whether DO_NOT_TRACK is set, not empty and not 0."""
    return environ.get("DO_NOT_TRACK", "") not in ("", "0")


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether a CI service set this environment up. The fragment has the same rule."""
    return environ.get("CI", "") not in _NOT_SET or any(environ.get(name) for name in SERVICES_BY_VARIABLE)


def ceiling_of_variable(value: str) -> str:
    """What a value of MAKE_METRICS allows: `off`, `local` or `on`. An unknown value allows no more than `local`."""
    if value == "off":
        return "off"
    return "on" if value in ("", "on", "log") else "local"


def only_prints(environ: Mapping[str, str]) -> bool:
    """Whether MAKE_METRICS=log asks us to print messages instead of sending them."""
    return environ.get("MAKE_METRICS") == "log"


def lowest(*words: str) -> str:
    """The word that allows least, of `off`, `local` and `on`."""
    return min(words, key=ORDER.index)


def ceiling(environ: Mapping[str, str]) -> str:
    """The most that DO_NOT_TRACK and MAKE_METRICS allow: `off`, `local`, or `on` for no limit. `on` is not consent."""
    return lowest("local" if do_not_track(environ) else "on", ceiling_of_variable(environ.get("MAKE_METRICS", "")))


NO_CI, OTHER_CI = "none", "other"
# A variable that each service sets, from its documentation and from the list that the npm package ci-info keeps
# (docs/decisions/0021-ci-and-agents.md). A service that copies another's variables stands before it. The fragment has
# the same names.
SERVICES_BY_VARIABLE = {
    "GITEA_ACTIONS": "gitea-actions",
    "GITHUB_ACTIONS": "github-actions",
    "GITLAB_CI": "gitlab-ci",
    "CIRCLECI": "circleci",
    "BUILDKITE": "buildkite",
    "TRAVIS": "travis-ci",
    "APPVEYOR": "appveyor",
    "BITBUCKET_BUILD_NUMBER": "bitbucket-pipelines",
    "CIRRUS_CI": "cirrus-ci",
    "DRONE": "drone",
    "TF_BUILD": "azure-pipelines",
    "TEAMCITY_VERSION": "teamcity",
    "JENKINS_URL": "jenkins",
    "HUDSON_URL": "hudson",
    "CODEBUILD_BUILD_ARN": "codebuild",
    "bamboo_planKey": "bamboo",
    "GO_PIPELINE_LABEL": "gocd",
    "BITRISE_IO": "bitrise",
    "BUDDY_WORKSPACE_ID": "buddy",
    "BUILDER_OUTPUT": "google-cloud-build",
    "CF_BUILD_ID": "codefresh",
    "CF_PAGES": "cloudflare-pages",
    "WORKERS_CI": "cloudflare-workers",
    "CM_BUILD_ID": "codemagic",
    "AC_APPCIRCLE": "appcircle",
    "APPCENTER_BUILD_ID": "app-center",
    "AGOLA_GIT_REF": "agola",
    "EARTHLY_CI": "earthly",
    "EAS_BUILD": "expo",
    "GERRIT_PROJECT": "gerrit",
    "HARNESS_BUILD_ID": "harness",
    "HEROKU_TEST_RUN_ID": "heroku-ci",
    "LAYERCI": "layerci",
    "NETLIFY": "netlify",
    "NEVERCODE": "nevercode",
    "PROW_JOB_ID": "prow",
    "SAILCI": "sail-ci",
    "SCREWDRIVER": "screwdriver",
    "SEMAPHORE": "semaphore",
    "SHIPPABLE": "shippable",
    "TASKCLUSTER_ROOT_URL": "taskcluster",
    "TDDIUM": "solano-ci",
    "VELA": "vela",
    "NOW_BUILDER": "vercel",
    "CI_XCODE_PROJECT": "xcode-cloud",
    "XCS": "xcode-server",
    # Of services that have no name of their own in what is sent: builds.sr.ht and Codeship, Render, Alpic, Kokoro...
    "CI_NAME": OTHER_CI,
    "RENDER_SERVICE_ID": OTHER_CI,
    "ALPIC_HOST": OTHER_CI,
    "KOKORO_BUILD_ID": OTHER_CI,
    "SWARMING_TASK_ID": OTHER_CI,  # LUCI
    "DSARI": OTHER_CI,
    # A Jenkins that was not told its own address sets no JENKINS_URL.
    "JENKINS_SERVER_COOKIE": "jenkins",
}
CI_SERVICES = tuple(dict.fromkeys(name for name in SERVICES_BY_VARIABLE.values() if name != OTHER_CI))
PERSON, CI, AGENT = "person", "ci", "agent"
# Variables by which coding assistants announce themselves to the programs that they start.
AGENT_VARIABLES = (
    "AI_AGENT",
    "AGENT",
    "CLAUDECODE",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "CLINE_ACTIVE",
    "AUGMENT_AGENT",
    "OPENCODE",
    "OPENCODE_CLIENT",
    "GOOSE_TERMINAL",
    "TRAE_AI_SHELL_ID",
    "ANTIGRAVITY_AGENT",
    "QWEN_CODE",
    "COPILOT_CLI",
    "AMP_CURRENT_THREAD_ID",
    "OZ_RUN_ID",
    "PI_CODING_AGENT",
)
_NOT_SET = ("", "0", "false")


def driver(environ: Mapping[str, str]) -> str:
    """Who started make: "agent" for a coding assistant that announces itself, also in CI; else "ci" or "person"."""
    if any(environ.get(name, "") not in _NOT_SET for name in AGENT_VARIABLES):
        return AGENT
    return CI if in_ci(environ) else PERSON


def ci_service(environ: Mapping[str, str]) -> str:
    """The CI service's name: "other" if we have no name for it, "none" outside of CI."""
    for variable, name in SERVICES_BY_VARIABLE.items():
        if environ.get(variable):
            return name
    return OTHER_CI if in_ci(environ) else NO_CI


def refuses_colours() -> bool:
    """Whether the user asks for text without colours (https://no-color.org)."""
    import os

    return bool(os.environ.get("NO_COLOR"))


def output_may_be_terminal() -> bool:
    """Whether standard output is a terminal, or a variable tells rich to take it for one."""
    import os
    import sys

    return sys.stdout.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))
