"""What the environment says."""

from __future__ import annotations

import pytest

from make_metrics import environment


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "none"),
        ({"CI": "false"}, "none"),
        ({"CI": "true"}, "other"),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "github-actions"),
        ({"JENKINS_URL": "http://j"}, "jenkins"),
        ({"GITLAB_CI": ""}, "none"),
    ],
)
def test_the_ci_service_is_known_from_the_environment(environ: dict[str, str], name: str) -> None:
    assert environment.ci_service(environ) == name
