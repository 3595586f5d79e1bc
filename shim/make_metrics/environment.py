"""What an environment allows to be done with a run's events, and which CI service it belongs to.

The walk asks this module while a recipe line may be waiting: nothing is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping

ORDER = ("off", "local", "on")
# Variables whose presence says that nobody sits in front: what CI services set, besides `CI` itself.
_CI_ALSO = ("TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION")


def do_not_track(environ: Mapping[str, str]) -> bool:
    """Whether DO_NOT_TRACK is set, not empty and not 0."""
    return environ.get("DO_NOT_TRACK", "") not in ("", "0")


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether an environment is that of a CI service. The fragment has the same rule."""
    return environ.get("CI", "") not in ("", "0", "false") or any(environ.get(name) for name in _CI_ALSO)


def ceiling_of_variable(value: str) -> str:
    """What MAKE_METRICS allows. It can only reduce: a value that is not known is taken as "not more than local"."""
    if value == "off":
        return "off"
    return "on" if value in ("", "on", "log") else "local"


def only_prints(environ: Mapping[str, str]) -> bool:
    """Whether what would be sent is to be printed instead."""
    return environ.get("MAKE_METRICS") == "log"


def lowest(*words: str) -> str:
    """The one of `off`, `local` and `on` that allows least."""
    return min(words, key=ORDER.index)


def ceiling(environ: Mapping[str, str]) -> str:
    """`off`, `local`, or `on` for no limit, which is no consent either."""
    return lowest("local" if do_not_track(environ) else "on", ceiling_of_variable(environ.get("MAKE_METRICS", "")))


NO_CI, OTHER_CI = "none", "other"
# What each service sets, as its documentation says.
_SETS = {
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
CI_SERVICES = tuple(_SETS.values())


def ci_service(environ: Mapping[str, str]) -> str:
    """The CI service's name, "other" for one that is not known, "none" outside of any."""
    for variable, name in _SETS.items():
        if environ.get(variable):
            return name
    return OTHER_CI if in_ci(environ) else NO_CI
