"""What the environment says."""

from __future__ import annotations

import re

import pytest

from make_metrics import environment
from tests.support.project import ROOT


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "none"),
        ({"CI": "false"}, "none"),
        ({"CI": "true"}, "other"),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "github-actions"),
        ({"JENKINS_URL": "http://j"}, "jenkins"),
        ({"GITLAB_CI": ""}, "none"),
        ({"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true"}, "gitea-actions"),
        ({"CODEBUILD_BUILD_ARN": "arn:aws:x"}, "codebuild"),
        ({"bamboo_planKey": "A-B"}, "bamboo"),
        ({"GO_PIPELINE_LABEL": "1"}, "gocd"),
        ({"CI_NAME": "sourcehut"}, "other"),
        ({"CI_NAME": "codeship", "CI": "true"}, "other"),
        ({"RENDER_SERVICE_ID": "srv-1", "RENDER": "true"}, "other"),
        ({"RENDER": "true"}, "none"),
        ({"JENKINS_SERVER_COOKIE": "7f", "BUILD_ID": "7"}, "jenkins"),
        ({"SWARMING_TASK_ID": "7f"}, "other"),
        ({"BUILD_ID": "7", "JENKINS_HOME": "/var/jenkins"}, "none"),
    ],
)
def test_the_ci_service_is_known_from_the_environment(environ: dict[str, str], name: str) -> None:
    assert environment.ci_service(environ) == name


def test_a_service_without_a_name_of_its_own_changes_no_notice() -> None:
    assert environment.OTHER_CI not in environment.CI_SERVICES
    assert environment.CI_SERVICES[-1] == "xcode-server"
    assert len(set(environment.CI_SERVICES)) == len(environment.CI_SERVICES)


def test_the_fragment_has_the_same_variables() -> None:
    text = (ROOT / "make_include/metrics.mk").read_text()
    names = re.findall(r"^\.metrics\.ci\.variables [:+]= (.*)$", text, re.MULTILINE)
    assert " ".join(names).split() == [*environment.SERVICES_BY_VARIABLE]


@pytest.mark.parametrize(
    ("environ", "driver"),
    [
        ({}, "person"),
        ({"CI": "true"}, "ci"),
        ({"CODEBUILD_BUILD_ARN": "arn:aws:x"}, "ci"),
        ({"CI_NAME": "sourcehut"}, "ci"),
        ({"PI_CODING_AGENT": "true"}, "agent"),
        ({"CLAUDECODE": "1"}, "agent"),
        ({"AI_AGENT": "some-tool@1"}, "agent"),
        ({"CURSOR_AGENT": "1", "CI": "true"}, "agent"),
        ({"AGENT": "0", "GEMINI_CLI": "", "OPENCODE": "false"}, "person"),
    ],
)
def test_who_started_make_is_known_from_the_environment(environ: dict[str, str], driver: str) -> None:
    assert environment.driver(environ) == driver
