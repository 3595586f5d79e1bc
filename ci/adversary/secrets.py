"""Plants secrets wherever a developer has some, says yes, and looks for them in everything that leaves."""

from __future__ import annotations

import base64
import os
import random
import string
import subprocess
from pathlib import Path
from urllib.parse import quote

from ci.adversary.kills import SETTINGS
from ci.adversary.place import Figure, Place
from ci.adversary.receiver import receiving
from make_metrics.properties.registry import ASKED_FOR

# The goals that are typed reach rules whose stems are free; only the patterns are spelled here.
MAKEFILE = """\
ARGS = $(filter-out $@,$(MAKECMDGOALS))
build: private.o
\t@echo "$(TOKEN)" >/dev/null; true
say:
\t@echo $(ARGS) >/dev/null
ssh-% deploy-%:
\t@echo $* >/dev/null
private.o:
\t@test -f $(FILE)
nested:
\t@$(MAKE) TOKEN=$(TOKEN) -C $(FOLDER) $(GOAL)
%: ; @:
"""
METRICS = """metrics = ["{names}"]
send-file-targets = true
default-branch = "main"
"""


def attack(folder: Path, shim: str, *, seed: int) -> list[Figure]:
    """One project with secrets everywhere, sent in full."""
    chance = random.Random(seed)  # noqa: S311
    secrets: dict[str, str] = {}

    def secret(where: str) -> str:
        secrets[where] = "".join(chance.choices(string.ascii_lowercase, k=14))
        return secrets[where]

    with receiving(seed) as receiver:
        receiver.hostile = False
        place = Place(folder / secret("folder"), shim)
        metrics = METRICS.format(names='", "'.join(_metrics()))
        text = SETTINGS.format(port=receiver.port)
        place.write(MAKEFILE, settings=metrics + text)
        inner = place.project / secret("folder of a nested make")
        inner.mkdir()
        goal = secret("goal of a nested make")
        (inner / "Makefile").write_text(f"%:\n\t@true\n-include {place.paths.fragment}\n")
        _repository(place, secret)
        place.agree()
        file = place.project / secret("file name")
        file.touch()
        words = [f"TOKEN={secret('argument')}", f"FILE={file}", f"FOLDER={inner.name}", f"GOAL={goal}"]
        names = (
            "AWS_SECRET_ACCESS_KEY",
            "USER",
            "LOGNAME",
            "HOSTNAME",
            "GITHUB_TOKEN",
            "MAKE_METRICS_SECRET",
            "CI_JOB_TOKEN",
        )
        environ = {name: secret(f"variable {name}") for name in names}
        typed = (
            ["build"],
            ["say", secret("goal"), f"{secret('user')}@{secret('host')}"],
            [f"ssh-{secret('stem')}.corp"],
            [f"deploy-{secret('branch in a stem')}"],
            ["nested"],
            [secret("name of no rule")],
            ["build", f"OPTION={secret('override')}"],
        )
        for goals in typed:
            place.make(*words, *goals, environ=environ)
        place.make("-f", _other_makefile(place, secret), "build", *words, environ=environ)
        place.command("flush")
        texts = b"".join(receiver.texts)
        accepted = len(receiver.accepted)
    if len(os.uname().nodename) > 5:  # a shorter one may be a part of any word
        secrets["this machine's name"] = os.uname().nodename
    leaks = [where for where, text in secrets.items() if is_in(text, texts)]
    figure = Figure(
        f"planted secrets, {shim} shim",
        f"{len(secrets)} secrets, {accepted} messages in {len(receiver.texts)} requests, {len(texts)} bytes",
        leaked=len(leaks),
        lost=0 if accepted else 1,
        notes=[f"leaked: {where} ({shim} shim)" for where in leaks],
    )
    return [figure]


def _metrics() -> list[str]:
    """Every metric that a project can ask for."""
    return [metric.identifier for metric in ASKED_FOR]


def _repository(place: Place, secret: object) -> None:
    make_secret = secret
    assert callable(make_secret)  # noqa: S101
    person = f"{make_secret('author')} <{make_secret('mail')}@example.org>"
    name, mail = person.removesuffix(">").split(" <")
    settings = ["-c", f"user.name={name}", "-c", f"user.email={mail}", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["checkout", "-q", "-b", f"feature/{make_secret('branch')}"], ["add", "Makefile"],
                  [*settings, "commit", "-q", "-m", str(make_secret("message of a commit"))],
                  ["remote", "add", str(make_secret("remote")), f"https://u:{make_secret('password')}@example.org/x"],
                  ["tag", str(make_secret("tag"))]):  # fmt: skip
        env = place.environment(GIT_CONFIG_GLOBAL="/dev/null")
        subprocess.run(["git", *words], cwd=place.project, env=env, check=False, capture_output=True)


def _other_makefile(place: Place, secret: object) -> str:
    assert callable(secret)  # noqa: S101
    path = place.project / f"{secret('name of a makefile')}.mk"
    path.write_text((place.project / "Makefile").read_text())
    return path.name


def is_in(secret: str, texts: bytes) -> bool:
    """Whether a text has a secret, as it is or in one of the usual encodings."""
    raw = secret.encode()
    forms = {raw, quote(secret).encode(), raw.hex().encode(), raw[::-1], raw.upper(), json_escaped(secret)}
    forms |= {base64.b64encode(raw[cut:])[: (len(raw) - cut) // 3 * 4] for cut in (0, 1, 2)}
    return any(form in texts for form in forms)


def json_escaped(text: str) -> bytes:
    """A text as JSON may write it: every character as its number."""
    return "".join(f"\\u{ord(char):04x}" for char in text).encode()
