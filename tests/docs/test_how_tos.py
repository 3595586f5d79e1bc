"""How-tos whose commands need a service: their files are checked, and their commands run as that service would."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.installed import Newcomer
from tests.support.otlp_server import otlp_server
from tests.support.pages import blocks
from tests.support.project import ROOT

HOW_TO = ROOT / "docs/how-to"
MAKEFILE = "all: lib\n\t@echo all\nlib:\n\t@echo lib\ncheck: all\n\t@echo checked\n"
INSTALLS = re.compile(r"\b(apt-get|pipx|pip) install\b|\bpip install\b")  # it is installed already


def page(name: str) -> str:
    return (HOW_TO / f"{name}.md").read_text()


def check_schema(schema: str, path: Path) -> None:
    """Check a file against a schema that check-jsonschema brings."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def lines_to_run(lines: list[str]) -> str:
    """Lines of a job without those that install make-metrics or change PATH to where it was installed."""
    kept = [line for text in lines for line in text.splitlines() if not INSTALLS.search(line)]
    return "\n".join(line for line in kept if not line.startswith("export PATH=/opt/"))


def committed(newcomer: Newcomer) -> None:
    """A project with the include line, as it is in a clone on a machine of a CI service."""
    newcomer.write("Makefile", MAKEFILE)
    newcomer.script("make-metrics setup --add && make-metrics uninstall")


@pytest.mark.parametrize(("name", "schema"), [("gitlab", "gitlab-ci"), ("github-actions", "github-workflows")])
def test_a_job_fits_the_schema_of_its_service(name: str, schema: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yml"
    path.write_text(blocks(page(name), "yaml")[0])
    check_schema(schema, path)
    path.write_text(path.read_text().replace("script:", "skript:").replace("runs-on:", "runs-off:"))
    with pytest.raises(AssertionError):
        check_schema(schema, path)


def test_the_job_for_gitlab_runs_in_a_clone(newcomer: Newcomer) -> None:
    job: dict[str, Any] = YAML(typ="safe").load(blocks(page("gitlab"), "yaml")[0])["build"]
    committed(newcomer)
    variables = {"CI": "true", "GITLAB_CI": "true"}
    bash = ("bash", "-eo", "pipefail")
    printed = newcomer.script(lines_to_run(job["before_script"] + job["script"]), words=bash, **variables)
    assert printed == "recording on this machine, nothing is sent\nlib\nall\nchecked\n"
    report = newcomer.script(lines_to_run(job["after_script"]), words=bash, **variables)
    assert {line.split()[0] for line in report.splitlines()[1:4]} == {"all", "lib", "check"}
    artifacts = {name: newcomer.project / name for name in job["artifacts"]["paths"]}
    assert artifacts["make-report.txt"].read_text() == report
    events = artifacts["make-events.jsonl"].read_text().splitlines()
    assert sorted(json.loads(event)["properties"]["command"] for event in events) == ["all", "check", "lib"]


def test_the_workflow_for_github_runs(newcomer: Newcomer) -> None:
    workflow = YAML(typ="safe").load(blocks(page("github-actions"), "yaml")[0])
    steps = workflow["jobs"]["build"]["steps"]
    committed(newcomer)
    summary = newcomer.project / "summary.md"
    for step in steps:
        if "run" in step:
            script = lines_to_run([step["run"]])
            newcomer.script(
                script, words=("bash", "-e"), CI="true", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)
            )
    assert re.search(r"^\| `check` \| goal", summary.read_text(), re.MULTILINE), summary.read_text()
    (upload,) = [step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert len((newcomer.project / upload).read_text().splitlines()) == 3


def test_a_job_that_says_yes_for_itself_sends(newcomer: Newcomer) -> None:
    steps = YAML(typ="safe").load(blocks(page("github-actions"), "yaml")[1])
    committed(newcomer)
    (settings,) = [block for block in blocks(page("adopt"), "toml") if "make-metrics.toml" in block]
    newcomer.write("make-metrics.toml", settings)
    newcomer.script("make-metrics setup")
    for step in steps:
        newcomer.script(step["run"], words=("bash", "-e"), CI="true", GITHUB_ACTIONS="true")
    (sent,) = newcomer.home.rglob("builds.jsonl")
    commands = [json.loads(line)["properties"]["command"] for line in sent.read_text().splitlines()]
    assert {"all", "lib"} <= set(commands)


def test_an_image_and_a_volume_record(newcomer: Newcomer) -> None:
    text = page("containers")
    instructions = [line.split(maxsplit=1) for line in blocks(text, "dockerfile")[0].replace("\\\n", "").splitlines()]
    assert [word for word, _ in instructions] == ["FROM", "RUN", "ENV", "RUN", "USER", "RUN"]
    newcomer.write("Makefile", MAKEFILE + "-include ~/.local/share/make-metrics/metrics.mk\n")
    newcomer.script(instructions[-1][1])  # the last RUN, as the image's user
    volume = newcomer.project.parent / "volume"
    volume.mkdir(mode=0o755)
    newcomer.own(volume)
    (command,) = re.findall(r"-e MAKE_METRICS_HOME=\S+ IMAGE sh -c '(.+)'$", blocks(text, "sh")[0], re.MULTILINE)
    for _ in range(2):
        assert newcomer.script(command, MAKE_METRICS_HOME=str(volume)) == "lib\nall\n"
    report = newcomer.script("make-metrics report", MAKE_METRICS_HOME=str(volume))
    assert re.search(r"^all +goal +2 ", report, re.MULTILINE), report
    assert "No events yet" in newcomer.script("make-metrics report")


def test_a_dev_container_sets_up_and_records(newcomer: Newcomer) -> None:
    (text,) = blocks(page("containers"), "json")
    container = json.loads(text)
    assert container.keys() == {"build", "init", "mounts", "postCreateCommand"}
    newcomer.write("Makefile", MAKEFILE + "-include ~/.local/share/make-metrics/metrics.mk\n")
    newcomer.script(container["postCreateCommand"])
    newcomer.script("make")
    assert re.search(r"^all +goal +1 ", newcomer.script("make-metrics report"), re.MULTILINE)
    (mount,) = re.findall(r"target=/home/dev/([\w./]+)", text)
    recorded = [path.relative_to(newcomer.home) for path in newcomer.home.rglob("*.sqlite3")]
    assert [path for path in recorded if not path.is_relative_to(mount)] == []


def test_the_parts_of_the_collectors_configuration_belong_together() -> None:
    configuration = YAML(typ="safe").load(blocks(page("collector"), "yaml")[0])
    used: dict[str, set[str]] = {"receivers": set(), "processors": set(), "exporters": set()}
    for pipeline in configuration["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            used[kind] |= set(names)
    assert {kind: set(configuration[kind]) for kind in used} == used
    port = configuration["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert f'host = "http://localhost:{port}"' in blocks(page("collector"), "toml")[0]


def test_a_collector_gets_what_the_queries_ask_for(newcomer: Newcomer) -> None:
    text = page("collector")
    newcomer.write("Makefile", MAKEFILE)
    with otlp_server() as server:
        newcomer.write("make-metrics.toml", blocks(text, "toml")[0].replace("http://localhost:4318", server.url))
        newcomer.script("make-metrics setup --add")
        opt_in, *commands = blocks(text, "sh")[0].splitlines()
        with newcomer.terminal(*opt_in.split()) as terminal:
            terminal.expect_exact("[y/N/d]")
            terminal.sendline("y")
            terminal.expect_exact("Thank you.")
            terminal.wait()
        printed = newcomer.script("\n".join(commands))
        assert f"{server.url}/v1/traces" in printed
        names = {point["name"] for point in server.points}
        attributes = {key for point in server.points for key in point["attributes"]}
        spans = {key for span in server.spans for key in span["attributes"]}
    queries = " ".join(re.findall(r"`([^`]+)`", text.partition("| question |")[2]))
    asked = set(re.findall(r"\b(make_\w+_seconds)_(?:sum|bucket|count)\b", queries))
    assert asked
    assert asked <= {f"{name.replace('.', '_')}_seconds" for name in names}
    labels = set(re.findall(r"\b(cicd_\w+)", queries))
    assert labels
    assert labels <= {key.replace(".", "_") for key in attributes}
    assert set(re.findall(r"span\.([\w.]+)", queries)) <= spans


WRAPPER = """\
#!/usr/bin/env python3
import subprocess, sys
assert sys.argv[1] == "wrap"
sys.exit(subprocess.run(["make", "--no-print-directory", "impl-" + sys.argv[2]]).returncode)
"""


def test_a_project_moves_from_the_wrapper(newcomer: Newcomer) -> None:
    text = re.sub(r"^ {4}", "", page("devstack-wrapper"), flags=re.MULTILINE)
    before, after = blocks(text, "make")
    add = re.search(r"`(make-metrics setup --add)`", text)
    assert add
    (settings,) = blocks(text, "toml")
    newcomer.write("provision.sh", "#!/bin/sh\necho provisioned $1\n")
    newcomer.write("scripts/send_metrics.py", WRAPPER)
    newcomer.script("chmod +x provision.sh scripts/send_metrics.py")
    rest = "\nup:\n\t@echo up\n"
    newcomer.write("Makefile", before + rest)
    command = "make -s dev.provision.lms"
    wrapped = newcomer.script(command)
    newcomer.write("Makefile", after + rest)
    newcomer.script("rm -r scripts")
    newcomer.write("make-metrics.toml", settings)
    assert newcomer.script(add[1]) == "Makefile: added the include line\n"
    assert "no faults, 1 receiver" in newcomer.script("make-metrics check")
    assert newcomer.script(command, MAKE_METRICS_IS_TEST="trial") == wrapped == "provisioned lms\n"
    _, _, body = newcomer.script("make-metrics preview 2>/dev/null").partition("/v1/batch\n")
    (message,) = json.loads(body)["batch"]
    assert message["event"] == "the name that your events have"
    properties = message["properties"]
    rows = re.findall(r"^\| (`.+?) \|", text.partition("## What your queries")[2], re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {
        "git_checked_out_master",
        "git_commit_time",
    }
    assert named <= properties.keys()
    assert (properties["command"], properties["goal"], properties["is_test"]) == ("dev.provision.%", True, "trial")


def test_completions_go_into_an_empty_home(newcomer: Newcomer) -> None:
    newcomer.script(blocks(page("editors"), "sh")[0])
    written = re.findall(r"> ~/(\S+)", blocks(page("editors"), "sh")[0])
    assert len(written) == 4
    assert [name for name in written if not (newcomer.home / name).read_text()] == []


def test_a_session_measures_a_tree_without_an_edit(newcomer: Newcomer) -> None:
    newcomer.write("Makefile", "all:\n\t@$(MAKE) --no-print-directory -C part\n")
    newcomer.write("part/Makefile", "all:\n\t@echo part\n")
    (session,) = blocks(page("sub-makes"), "sh")
    newcomer.script("make-metrics setup")
    assert newcomer.script(f"{session}\nmake") == "part\n"
    report = newcomer.script("make-metrics report")
    assert re.search(r"^all +1 .* part$", report, re.MULTILINE), report


def test_uninstalling_as_the_questions_say(newcomer: Newcomer) -> None:
    text = (ROOT / "docs/faq.md").read_text()
    (block,) = [block for block in blocks(text, "sh") if "uninstall" in block]
    newcomer.write("Makefile", MAKEFILE)
    newcomer.script("make-metrics setup --add; make")
    commands = [line.partition("#")[0].strip() for line in block.splitlines()]
    ours = [command for command in commands if command.startswith("make-metrics ")]
    assert (len(ours), commands[-1]) == (3, "pipx uninstall make-metrics")
    newcomer.script("\n".join(ours[:2]))
    with newcomer.terminal(*ours[2].split()) as terminal:
        terminal.expect_exact("[y/N]")
        terminal.sendline("y")
        terminal.expect_exact("pipx uninstall make-metrics")
        terminal.wait()
    assert (newcomer.project / "Makefile").read_text() == MAKEFILE
    assert [path for path in newcomer.home.rglob("*") if not path.is_dir()] == []
    assert newcomer.script("make") == "lib\nall\n"
