"""What an option of a command is, and the options of several commands and of those that have many."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to load than this module
    from typing import Any


class Option:
    """One argument of a command: its names, and the keywords for `argparse.ArgumentParser.add_argument`."""

    __slots__ = ("keywords", "names")

    def __init__(self, names: tuple[str, ...], keywords: dict[str, Any]) -> None:
        """An option that no command has yet."""
        self.names, self.keywords = names, keywords


def option(*names: str, **keywords: Any) -> Option:
    """An option with these names and keywords."""
    return Option(names, keywords)


_UNTIL = option("--until", metavar="WHEN", help="only what began before WHEN: a date or a time before now")
_OF_ALL = option("--all", action="store_true", help="of all projects, not only of the current one")
_PATTERN = option("--target", metavar="GLOB", help="only targets whose names match: * any text, ? one character")
_FAILED = option("--failed", action="store_true", help="only what failed at least once")
_COLUMNS = ("own", "whole", "median", "p95", "last", "runs", "failed", "flaky", "cpu", "memory", "when", "name")
_SORT = option(
    "--sort",
    choices=_COLUMNS,
    metavar="COLUMN",
    help=f"{', '.join(_COLUMNS)}: what comes first, the most own time in all (the default), or the most of another "
    "column; name is by name",
)
_LIMIT = option("--limit", metavar="N", type=int, help="only the first N rows")
_OF_JOBS = option("--jobs", metavar="N", help="only runs with -jN; unlimited for -j without a number")
_SIDES = option(
    "sides", nargs="*", metavar="RUN", help="a run's name, last or last~2, a branch, or a commit; run:, branch: or "
    "commit: before it says which (default for the second: last)"
)  # fmt: skip
_AGAINST = option(
    "--against", metavar="WHEN", help="what is since --since against the time before it: a span such as 7d, or a date "
    "(default: as long)"
)  # fmt: skip
_FAIL = option(
    "--fail-above", metavar="PERCENT", help="exit with status 1 if a target became slower by more than PERCENT"
)
SINCE = option(
    "--since", metavar="WHEN", help="only what began after WHEN: a date, or a time before now such as 30m, 12h, 7d, 2w"
)
GOAL = option("--goal", metavar="NAME", help="of the runs that had this goal")
OF = option("-C", metavar="DIR", dest="directory", help="of the runs of the project of DIR, not the current one")
TABLES = option(
    "--format", choices=("table", "json", "csv", "markdown"), default="table", help="table (the default), json, csv or "
    "markdown"
)  # fmt: skip
PAGES = option(
    "--format",
    choices=("table", "json", "csv", "markdown", "text"),
    default="table",
    help="table (the default; text is the same), json, csv or markdown",
)
STREAMED = option(
    "--format",
    choices=("json", "table", "csv", "markdown"),
    default="json",
    help="json (the default, an object a line), table, csv or markdown",
)
JSON = option("--json", action="store_true", help="print JSON instead of text")
_BY = option(
    "--by", choices=("day", "week"), help="in place of targets: how long people waited, for what, by day or by week"
)
_ROWS = option("--limit", metavar="N", type=int, help="only the first N rows; with --by the latest N")
_EACH_JOBS = option(
    "--jobs", metavar="N", help="only runs with -jN; unlimited for -j without a number; each for a row for each number"
)

REPORT = (SINCE, _UNTIL, _OF_ALL, OF, _PATTERN, GOAL, _EACH_JOBS, _FAILED, _BY, _SORT, _ROWS, TABLES, JSON)
COMPARE = (_SIDES, SINCE, _AGAINST, _UNTIL, _OF_ALL, OF, _PATTERN, GOAL, _OF_JOBS, _FAIL, _LIMIT, TABLES, JSON)

_DATABASE = option("--database", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME")
_HOST = option("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
_PORT = option("--port", type=int, default=8377, help="the port to listen on (default: 8377)")
_URL = option("--url", help="the address that people and senders use, where a proxy stands in front")
_USER_HEADER = option("--user-header", metavar="NAME", help="a header by which the proxy says whom it has let in")
_PROXY = option("--proxy", metavar="ADDRESS", action="append", help="a proxy whose header counts; may be repeated")
_DEMO = option("--demo", action="store_true", help="show a made-up team's three months, and keep nothing")
_ANY_PORT = option("--port", type=int, default=0, help="the port to listen on (default: a free one)")
_OPEN = option("--open", action="store_true", help="open the pages in the browser")
_OWN_PROJECT = option("-C", metavar="DIR", dest="directory", help="only what was recorded of the project of DIR")
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
_PROJECT = option("-C", metavar="DIR", dest="directory", help="with import --local: only what was recorded of DIR")

SERVE = (_DATABASE, _HOST, _PORT, _URL, _USER_HEADER, _PROXY, _DEMO)
VIEW = (_OWN_PROJECT, _ANY_PORT, _OPEN)
SERVER = (_WORDS, _DATABASE, _RETENTION, _GROUP, _AT_ONCE, _LOCAL, _PROJECT, _FILE, _DELETE, JSON)
