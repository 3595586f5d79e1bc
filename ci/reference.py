"""Write docs/reference/commands.md, the completions for shells and the manual page from the table of commands.

And the schema of make-metrics.toml, twice: in the package, and beside the page. `python -m ci.reference` writes all of
them. With `--check` it writes nothing, and exits with status 1 if one is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from ci import completion, settings_schema
from make_metrics.cli import COMMANDS, Command
from make_metrics.commands.option import Option

ROOT = Path(__file__).resolve().parent.parent
PAGE, SCHEMA = (ROOT / "docs" / "reference" / name for name in ("commands.md", "make-metrics.schema.json"))
PACKED_SCHEMA = ROOT / "shim" / "make_metrics" / "project" / SCHEMA.name

SHELLS = ROOT / "shim" / "make_metrics" / "commands" / "shells"


def _value(option: Option) -> str:
    """What stands behind an option's name, or in place of a positional argument's."""
    keywords = option.keywords
    if "choices" in keywords:
        return "{" + ",".join(map(str, keywords["choices"])) + "}"
    return str(keywords.get("metavar") or option.names[-1].lstrip("-").upper())


def _usage(option: Option) -> str:
    keywords, value = option.keywords, _value(option)
    if not option.names[0].startswith("-"):
        return {"?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}.get(
            str(keywords.get("nargs", "")), value
        )
    if str(keywords.get("action", "")).startswith(("store_true", "store_false", "store_const", "count")):
        return f"[{option.names[0]}]"
    return f"[{option.names[0]} {f'[{value}]' if keywords.get('nargs') == '?' else value}]"


def _section(command: Command) -> Iterator[str]:
    yield f"## `{command.name}`\n"
    yield f"{command.help[:1].upper()}{command.help[1:]}.\n"
    yield "    " + " ".join([f"make-metrics {command.name}", *map(_usage, command.options)]) + "\n"
    if command.options:
        yield "| argument | meaning |\n|---|---|"
        for option in command.options:
            names = ", ".join(f"`{name}`" for name in option.names)
            yield f"| {names} | {str(option.keywords.get('help', '')).replace('|', '&#124;')} |"
        yield ""


def page() -> str:
    """The page about all commands."""
    lines = [
        "# Reference: commands\n",
        "<!-- Made from the table in make_metrics/cli.py by `python -m ci.reference`. Change that, not this. -->\n",
        "`make-metrics --help` lists the commands, `make-metrics help COMMAND` shows one.\n"
        "[Variables](variables.md) and [settings](settings.md) have pages of their own.\n",
        *completion.STATUSES,
    ]
    for command in COMMANDS:
        lines += _section(command)
    return "\n".join(lines).rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the files; 1 if one is out of date."""
    schema = json.dumps(settings_schema.schema(), indent=2) + "\n"
    texts = {PAGE: page(), SCHEMA: schema, PACKED_SCHEMA: schema}
    texts |= {SHELLS / name: text for name, text in completion.texts().items()}
    if arguments == ["--check"]:
        stale = [path for path, text in texts.items() if not path.exists() or path.read_text() != text]
        for path in stale:
            print(f"{path} is out of date: run python -m ci.reference", file=sys.stderr)
        return 1 if stale else 0
    for path, text in texts.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
