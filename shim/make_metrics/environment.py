"""What an environment allows us to do with a run's events, and which CI service set it up.

The walk imports this while a recipe line may be waiting: it imports nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping

ORDER = ("off", "local", "on")
# Variables of CI services that do not set `CI`.
_CI_VARIABLES = ("TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION")


def do_not_track(environ: Mapping[str, str]) -> bool:
    """Whether DO_NOT_TRACK is set, not empty and not 0."""
    return environ.get("DO_NOT_TRACK", "") not in ("", "0")


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether a CI service set this environment up. The fragment has the same rule."""
    return environ.get("CI", "") not in ("", "0", "false") or any(environ.get(name) for name in _CI_VARIABLES)


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
# The variable that each service sets, from its documentation.
_SERVICES_BY_VARIABLE = {
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
}
CI_SERVICES = tuple(_SERVICES_BY_VARIABLE.values())


def ci_service(environ: Mapping[str, str]) -> str:
    """The CI service's name: "other" if we have no name for it, "none" outside of CI."""
    for variable, name in _SERVICES_BY_VARIABLE.items():
        if environ.get(variable):
            return name
    return OTHER_CI if in_ci(environ) else NO_CI
