"""The values that several programs of the hot path have: launcher.c, the Python modules, make's and the shell's parts.

The Python modules are the reference. The other texts are read, not run, so that this also holds where no launcher can
be built.
"""

from __future__ import annotations

import re
import signal

import pytest

from ci import build_launcher
from make_metrics import environment
from make_metrics.consent import gate, policy
from make_metrics.files import read, user_dirs
from make_metrics.hot import append, arguments, command, line, procfs, record_format, recorder, split_words, state_dir
from make_metrics.project import git_head
from make_metrics.sender import burst, protocol, reaper
from make_metrics.setup import bundle, launcher_copy
from make_metrics.sweep import backlog
from make_metrics.walk import walk
from tests.support.project import ROOT, SOURCE

LAUNCHER = (SOURCE / "make_metrics/hot/in_c/constants.h").read_text()
# By the names in constants.h. The order counts in a list, and not in a frozenset.
PYTHON: dict[str, object] = {
    "PROTOCOL": arguments.PROTOCOL,
    "ANSWER": arguments.ANSWER,
    "ASKS_FOR_CHANGES": arguments.ASKS_FOR_CHANGES,
    "CHANGES": arguments.CHANGES,
    "TITLE": arguments.TITLE,
    "TARGET_FILE": arguments.TARGET_FILE,
    "DEFAULT_SHELL": command.DEFAULT_SHELL,
    "DEFAULT_PATH": command.DEFAULT_PATH,
    "RECORD_VERSION": record_format.VERSION,
    "ORPHAN": record_format.ORPHAN,
    "NOT_A_MAKE": recorder.NOT_A_MAKE,
    "NO_MAKE_ABOVE": recorder.NO_MAKE_ABOVE,
    "ATTENDED": recorder.ATTENDED,
    "UNATTENDED": recorder.UNATTENDED,
    "TRACED": recorder.TRACED,
    "UNKNOWN_SENDER": line._UNKNOWN_SENDER,
    "LOCK_PATIENCE_NS": append.LOCK_PATIENCE_NS,
    "LOCK_PAUSE_NS": append.LOCK_PAUSE_NS,
    "LOCK_PARTS": append.LOCK_PARTS,
    "STARTER_LOCK_PARTS": recorder.STARTER_LOCK_PARTS,
    "WALK_PATIENCE_NS": recorder.WALK_PATIENCE_NS,
    "HOST_PRIME": procfs.HOST_PRIME,
    "SPECIAL_CHARACTERS": split_words.SPECIAL_CHARACTERS,
    "PLAIN_CHARACTERS": frozenset(record_format.PLAIN_CHARACTERS),
    "shell_builtins": split_words.SHELL_BUILTINS,
    "builtins_of_3_82": split_words.BUILTINS_OF_3_82,
    "builtins_of_4_3": split_words.BUILTINS_OF_4_3,
    "apple_shells": list(command.APPLE_SHELLS),
    "bourne_shells": list(command.BOURNE_SHELLS),
    "changed_names": list(arguments.CHANGED_NAMES),
    "invented_paths": list(arguments.INVENTED_PATHS),
    "forwarded": frozenset(line.FORWARDED),
    "ends_make": frozenset(line.ENDS_MAKE),
    "waited_for": frozenset(line.WAITED_FOR),
    "WALK_LIFETIME_S": walk.LIFETIME_S,
    "COMBINE": walk.COMBINE,
    "COPY": launcher_copy.NAME.encode(),
    "PROOF": launcher_copy.PROOF.encode(),
    "MANY_RECORDS": backlog.MANY_RECORDS,
    "OLD_RECORD_S": backlog.OLD_RECORD_S,
    "WEEK_NS": gate.WEEK_NS,
    "INVITATIONS_MAX": gate.MAX_TIMES,
    "OWN_FILE_BYTES": read.LIMIT_BYTES,
    "SETTINGS": user_dirs.SETTINGS.encode(),
    "GIT_FILE_BYTES": git_head.LIMIT_BYTES,
    "GIT_PACKED_BYTES": git_head.PACKED_BYTES,
    "GIT_SYMBOLIC_DEPTH": git_head.SYMBOLIC_DEPTH,
    "ci_services": [word.encode() for pair in environment.SERVICES_BY_VARIABLE.items() for word in pair],
    "agent_variables": [name.encode() for name in environment.AGENT_VARIABLES],
    "SENDER_VARIABLE": reaper.VARIABLE.encode(),
    "SENDER_DETACHED": reaper.DETACHED.encode(),
    "SENDER_NONE": reaper.NONE.encode(),
    "SENDER_MAKE": protocol.MAKE.encode(),
    "SENDER_GROUP": protocol.GROUP.encode(),
    "SENDER_STATE": protocol.STATE.encode(),
    "SENDER_PROJECT": protocol.PROJECT.encode(),
    "SENDER_HELD": protocol.HELD.encode(),
    "SENDER_LOCK": user_dirs.SENDER_LOCK.encode(),
    "SENDER_WANTED": user_dirs.SENDER_WANTED.encode(),
    "SENDER_RESTING": user_dirs.SENDER_RESTING.encode(),
    "SENDER_REST_S": burst.REST_S,
    "SENDER_SPARE": burst.SPARE,
    "reapers": frozenset(name.encode() for name in reaper.REAPERS),
    "dir_variables": [name.encode() for name in user_dirs.VARIABLES],
}
DEFINITION = re.compile(
    r'^#define (?P<name>\w+) (?P<value>"(?:\\.|[^"\\])*"|[^\s"]+)|'
    r"^static const [\w *]+?(?P<array>\w+)\[\] = \{(?P<values>[^}]*)\};",
    re.MULTILINE,
)
LIMITS = {
    "KEY_MAX",
    "NUMBER_DIGITS_MAX",
    "PROCESSES_MAX",
    "SENDER_PROGRAM",
    "COMBINE_PAUSE_NS",
}  # beyond them the launcher leaves the line to the Python shim


def defined(source: str) -> dict[str, object]:
    """The constants of a launcher's source, each with its value as Python writes it."""
    values: dict[str, object] = {}
    for definition in DEFINITION.finditer(source):
        if definition["name"]:
            name, value = definition["name"], value_of(definition["value"])
        else:
            name, words = definition["array"], re.findall(r'"[^"]*"|\w+', definition["values"])
            value = [value_of(word) for word in words]
        values[name] = frozenset(value) if isinstance(PYTHON.get(name), frozenset) else value  # type: ignore[call-overload]
    return values


def value_of(text: str) -> object:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1]).encode()
    if text.startswith("SIG"):
        return signal.Signals[text]
    number = re.fullmatch(r"U?INT64_C\((\d+)\)|(-?\d+)", text)
    return int(number[1] or number[2]) if number else text


def test_launcher_and_python_shim_have_the_same_constants() -> None:
    values = defined(LAUNCHER)
    assert {name: values.get(name) for name in PYTHON} == PYTHON
    assert values.keys() == {
        *PYTHON,
        *LIMITS,
        "INITIAL_TIME_NAMESPACE",
        "MOUNTS",
        "NAME",
        "OPEN_FLAGS",
        "PROOF_BYTES",
    }, "a constant is compared, or is listed as the launcher's own"


@pytest.mark.parametrize("name", PYTHON)
def test_a_constant_that_changes_in_the_launcher_alone_is_noticed(name: str) -> None:
    (definition,) = (match for match in DEFINITION.finditer(LAUNCHER) if name in (match["name"], match["array"]))
    if definition["array"]:
        (start, end), changed = definition.span("values"), definition["values"].partition(",")[2]
    else:
        (start, end), value = definition.span("value"), definition["value"]
        changed = re.sub(r"\d+(?=\)?$)", lambda number: str(int(number[0]) + 1), value)
        changed = f'"x{value[1:]}' if value.startswith('"') else changed
    assert defined(LAUNCHER[:start] + changed + LAUNCHER[end:])[name] != PYTHON[name]


@pytest.mark.parametrize(
    "path", ["make_include/metrics.mk", "shim/make_metrics/hot/trampoline.sh", "ci/build_launcher.py"]
)
def test_every_program_speaks_the_same_protocol(path: str) -> None:
    assert set(re.findall(r"\bmm\d+\b", (ROOT / path).read_text())) == {arguments.PROTOCOL.decode()}


def test_the_trampoline_knows_the_answer() -> None:
    assert f'"{arguments.ANSWER.decode()}"' in (SOURCE / "make_metrics/hot/trampoline.sh").read_text()


def test_the_trampoline_skips_as_many_words_as_stand_before_the_shell() -> None:
    before_shell = [b"mm1", b"t:a", b"g:-", b"m:0:4.3:make:f", b"h:-", b"e:", b"1"]
    assert arguments.Arguments([*before_shell, b"/bin/sh", b"-c", b"true"]).shell == [b"/bin/sh"]
    trampoline = (SOURCE / "make_metrics/hot/trampoline.sh").read_text()
    assert f"shift {len(before_shell)}\n" in trampoline


def test_the_fragment_hands_over_the_variables_that_the_shim_restores() -> None:
    text = (ROOT / "make_include/metrics.mk").read_text()
    names = re.findall(r"\$\(call[\s\\]+\.metrics\.keep,(\w+)\)", text)
    assert [name.encode() for name in names] == list(arguments.CHANGED_NAMES)


def test_entry_py_reads_a_bundle_of_the_largest_size_from_where_it_is_written() -> None:
    text = (SOURCE / "make_metrics/entry.py").read_text()
    assert f"posix.read(fd, 1 << {bundle.LIMIT_BYTES.bit_length() - 1})" in text
    assert bundle.LIMIT_BYTES.bit_count() == 1
    folder = bundle.path("mm1").parent.relative_to(bundle.ROOT)
    assert f"{{root}}/{folder}/{{part}}.{{sys.implementation.cache_tag}}" in text


def test_the_build_checks_the_launcher_with_the_protocol() -> None:
    assert build_launcher.PROTOCOL.encode() == arguments.PROTOCOL


# By platform and file: what the launcher has there, with which Python's paths are made.
PATHS = {
    "linux": ("/etc", ".local/share", ".config", ".local/state"),
    "darwin": ("/Library/Application Support", *["Library/Application Support"] * 3),
}


@pytest.mark.parametrize(
    ("platform", "name"), [("linux", "system_linux.c"), ("linux", "posix.c"), ("darwin", "posix.c")]
)
def test_paths_of_a_platform_are_the_same(monkeypatch: pytest.MonkeyPatch, platform: str, name: str) -> None:
    text = (SOURCE / "make_metrics/hot/in_c" / name).read_text()
    if name == "posix.c":
        parts = re.search(r"^#ifdef __APPLE__\n(.*?)^#else\n(.*?)^#endif", text, re.MULTILINE | re.DOTALL)
        assert parts is not None
        text = parts[1 if platform == "darwin" else 2]
    values = {name: value.decode() for name, value in defined(text).items() if isinstance(value, bytes)}
    system, data, config, state = PATHS[platform]
    assert values["POLICY"] == f"{system}/make-metrics/policy.toml"
    assert values["STATE_BELOW_HOME"] == f"/{state}/make-metrics"
    assert (values["DATA_BELOW_HOME"], values["CONFIG_BELOW_HOME"]) == (data, config)

    monkeypatch.setattr("sys.platform", platform)
    home = {"HOME": "/home/me"}
    assert policy.path_of(platform) == values["POLICY"]
    assert state_dir.find_state_dir(b"", {b"HOME": b"/home/me"})[0].decode() == f"/home/me{values['STATE_BELOW_HOME']}"
    assert user_dirs.find_user_dirs(home) == tuple(f"/home/me/{base}/make-metrics" for base in (data, config, state))
