"""Which CI service an environment is of. Loads nothing: the walk asks it."""

from __future__ import annotations

from collections.abc import Mapping

from shim import ceiling

NONE, OTHER = "none", "other"
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
NAMES = tuple(_SETS.values())


def ci(environ: Mapping[str, str]) -> str:
    """The CI service's name, "other" for one that is not known, "none" outside of any."""
    for variable, name in _SETS.items():
        if environ.get(variable):
            return name
    return OTHER if ceiling.in_ci(environ) else NONE
