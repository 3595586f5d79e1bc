"""What an option of a command is, and the options of the receiver's commands."""

from __future__ import annotations

from typing import Any, NamedTuple


class Option(NamedTuple):
    """One argument of a command: its names, and the keywords for `argparse.ArgumentParser.add_argument`."""

    names: tuple[str, ...]
    keywords: dict[str, Any]


def option(*names: str, **keywords: Any) -> Option:
    """An option with these names and keywords."""
    return Option(names, keywords)


_DATABASE = option("--database", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME")
_HOST = option("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
_PORT = option("--port", type=int, default=8377, help="the port to listen on (default: 8377)")
_URL = option("--url", help="the address that people and senders use, where a proxy stands in front")
_USER_HEADER = option("--user-header", metavar="NAME", help="a header by which the proxy says whom it has let in")
_PROXY = option("--proxy", metavar="ADDRESS", action="append", help="a proxy whose header counts; may be repeated")
_WORDS = option(
    "words",
    nargs="+",
    metavar="WORD",
    help="project add|rotate|disable|enable|set|delete NAME, project list, token add [NAME], token delete ID, "
    "token list, export NAME, import NAME FILE..., or import NAME --local",
)
_RETENTION = option("--retention", metavar="DAYS", type=int, help="with project set: delete events after DAYS")
_GROUP = option(
    "--smallest-group", metavar="N", type=int, help="with project set: hide what fewer than N people stand behind"
)
_AT_ONCE = option("--at-once", action="store_true", help="with project rotate: the old key is no longer taken")
_LOCAL = option(
    "--local", action="store_true", help="with import: the events of your own store, or with -C of a project"
)
_FILE = option("-o", metavar="FILE", dest="output", default="-", help="with export: the file to write")
_DELETE = option("--yes", action="store_true", help="with project delete: do not ask")
_JSON = option("--json", action="store_true", help="print JSON instead of text")
_PROJECT = option("-C", metavar="DIR", dest="directory", help="with import --local: only what was recorded of DIR")

SERVE = (_DATABASE, _HOST, _PORT, _URL, _USER_HEADER, _PROXY)
SERVER = (_WORDS, _DATABASE, _RETENTION, _GROUP, _AT_ONCE, _LOCAL, _PROJECT, _FILE, _DELETE, _JSON)
