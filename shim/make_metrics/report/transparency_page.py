"""The transparency page: everything that is collected, why, by which files, who gets it, and how to stop. Pure.

docs/transparency.md is the page of make-metrics itself; a project's also says who collects there, and what it asks for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace

from make_metrics.consent.gate import MAX_TIMES
from make_metrics.consent.notice import ADDRESS, FILES_KEPT, FILES_SENT, JOINS, NEVER
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes.report import LISTS
from make_metrics.hot.failure_log import LIMIT_FILES
from make_metrics.project.settings import NAME, Settings
from make_metrics.properties.property import Property, shown
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from make_metrics.properties.trace import RUN, TRACE
from make_metrics.store.outbox import DAY_NS, KEEP_NS, KEEP_SENT_NS, LIMIT_BYTES, LIMIT_EVENTS

_TOP = f"""# What make-metrics collects, and what becomes of it

<!-- Made from properties/registry.py and what it imports: docs/transparency.md by `python -m ci.transparency`, a
project's own page by `make-metrics transparency`. Change those, not this. -->

Everything stays on your machine until you say yes. A project can ask for a yes in a file `{NAME}` beside its Makefile;
neither that file nor any variable of the environment can say yes for you. Each project asks for itself. As long as you
have not answered, make shows a line that says so when it has run its first recipe line in a terminal: at most once a
week and {MAX_TIMES} times in all. In CI nothing is recorded either, unless something was decided there.

## Why

A project that asks says why, who collects, and how long it is kept; `make-metrics opt-in` shows it before it asks, with
the list below. The yes holds for what was shown: if a property, a receiver or anything else of the notice changes,
sending pauses until you have said yes again. Nothing that was recorded before the yes is ever sent.
"""

_SENT = """
## What is sent

One event for each target that make runs, with these properties and no others:
"""

_ASKED_FOR = f"""
A project can ask for more in its `{NAME}` (`metrics = ["os", "jobs"]`). They are off unless it does and you have said
yes to the notice that lists them; until then they are not even computed, except to be shown by `make-metrics preview`.
They are computed after the run, each on its own:
"""

_FOREIGN = """
It can ask by name for metrics of other distributions too. These are of none unless you have installed one beside
make-metrics; a file in the repository is never run. `make-metrics transparency` shows this page with those of the
project, `make-metrics doctor` what is wrong with them.
"""

_REQUESTS = """
Each request to a receiver of type `segment` adds the time of sending (`sentAt`) and the project's public key
(`writeKey`).
"""

_TRACES = f"""
Receivers of type `otlp`, and no others, are also told of each run of make itself, with
{", ".join(f"`{entry.name}`" for entry in RUN)}, and get with each event its place in the trace of its run. They get
no other property than those above, as attributes of spans and of durations. {JOINS} Ids that are not given by it are
made from your id, so that two projects' collectors cannot match them:
"""

_NEVER = f"""
## What is never sent

{NEVER[0].upper()}{NEVER[1:]}. {FILES_KEPT} A project can ask to send their names, and its notice says then:
"{FILES_SENT}" A target counts as a file if it has a `/` or a backslash, begins with `~` or a dot, ends like files do
(`.o`, `.html`, ...), or if a file of its name lies beside the Makefile when the run is combined (as soon as make has
ended, or with the next report or `flush`); `deliver/message.py` has the rule. A name with other characters than
letters, digits and `. : + % _ -` is not sent either.

The id is a pseudonym, not anonymity: the receiver can tell that two events come from the same person. It is random,
made at your yes, of one project only, and deleted at your no. {ADDRESS}
"""

_RECEIVERS = f"""
## Who gets it

All of it goes to the receivers that the project's `{NAME}` names, and to nobody else; `make-metrics status` shows them.
Redirects are not followed. A receiver of type `file` is a file on this machine, below make-metrics' own directory or \
the one that you name; nothing carries it elsewhere by itself. What waits is kept for \
{KEEP_NS // DAY_NS} days at most, and of all projects together {LIMIT_EVENTS:,} events or \
{LIMIT_BYTES // 1_000_000} MB.
"""

_BOTTOM = f"""
## See it for yourself

- `make-metrics preview` prints the exact bytes and the address, before or after a yes, and opens no connection.
- `make-metrics sent` prints what was sent in the last {KEEP_SENT_NS // DAY_NS} days, byte by byte.
- `make-metrics schema` prints what an event may carry, as a table or as JSON Schema.
- `make-metrics status` says whether anything is sent, and which rule decided that.
- `MAKE_METRICS=log` prints instead of sending: `make-metrics flush`, and `opt-out` where that would send.

## How to stop

- `make-metrics opt-out`: ends the sending, deletes what waits and the id. Nothing is sent about that, unless the
  project's notice said that a last event would be.
- `DO_NOT_TRACK=1` or `MAKE_METRICS=local` in the environment: what make does then is never sent.
- `make-metrics on-this-machine`: takes back every yes so far, for all projects; what make does is recorded here only.
- `make-metrics off`, or `MAKE_METRICS=off` for one make: nothing is recorded at all.
- `make-metrics forget`: removes what was recorded on this machine.
"""

_CRASHES = f"""
## Failures of make-metrics itself

What fails of make-metrics is written to a log on this machine, at most {LIMIT_FILES} failures for
{crash_log.KEEP_NS // DAY_NS} days; `make-metrics doctor` shows the last ones. Nothing of it is sent, unless you say
yes to that as well: `make-metrics crash-reports on` asks, where a project's `{NAME}` names a receiver
(`crash-reports-dsn`). The one yes has nothing to do with the other. Then each failure in that project gives one
report, when events are sent or with `make-metrics flush`, with:
"""

_CRASHES_END = f"""
Never sent: {crash_notice.NEVER}. There is no id of yours in it, and no time.

- `make-metrics crash-reports preview` prints the exact bytes, `make-metrics sent` what was sent.
- `make-metrics crash-reports off` ends it, and so does `make-metrics opt-out`; `DO_NOT_TRACK=1` and
  `MAKE_METRICS=local` hold for it too.
"""

_CODE = """
## Where the code is

The files lie below shim/make_metrics/ in the repository.

| what | file |
|---|---|
| which rule decides | `consent/mode.py`, `environment.py`, `project/root.py` |
| what you decided | `consent/consent.py`, `consent/decision_file.py`, `consent/anonymous_id.py` |
| what the notice says | `consent/notice.py`, `project/settings.py` |
| what may be sent | `properties/registry.py`, `properties/always.py`, `properties/property.py` |
| what is sent | `deliver/message.py`, `deliver/outgoing.py` |
| how metrics are computed | `metrics/collector.py`, `properties/metric.py`, `properties/facts.py` |
| metrics of other distributions | `metrics/catalogue.py`, `metrics/child.py`, `metrics/worker.py` |
| what waits, and what was sent | `store/outbox.py` |
| what a trace is made from | `deliver/trace.py`, `properties/trace.py`, `deliver/traceparent.py` |
| the sending | `sender/sender.py`, `deliver/delivery.py`, `sinks/network.py` |
| the receivers | `sinks/segment.py`, `sinks/otlp/sink.py`, `sinks/file.py` |
| the log of failures | `hot/failure_log.py`, `crashes/log.py` |
| what may be reported of them | `crashes/report.py`, `crashes/own_message.py`, `crashes/notice.py` |
| the reporting | `crashes/delivery.py`, `crashes/sentry.py` |
"""


def page(settings: Settings | None = None, metrics: Sequence[Property] = ()) -> str:
    """The page; with a project's settings and the metrics that it asks for, the project's."""
    asked = [entry for entry in metrics if entry.provider]
    text = "".join(
        (
            _TOP,
            _SENT,
            _table(PROPERTIES),
            _ASKED_FOR,
            _table(OPTIONAL),
            _FOREIGN,
            _of_project(settings, metrics) if settings else "",
            _table(asked) if asked else "",
            "\nYour yes is an event as well: of those above it has ",
            ", ".join(f"`{entry.name}`" for entry in CHOICE if entry in PROPERTIES),
            ", and\n",
            _table([entry for entry in CHOICE if entry not in PROPERTIES]),
            "\nAround each event is:\n",
            _table(ENVELOPE),
            _REQUESTS,
            _TRACES,
            _table(TRACE),
            _NEVER,
            _RECEIVERS,
            _receivers(settings) if settings else "",
            _BOTTOM,
            _crashes(),
            _CODE,
        )
    )
    return "\n\n".join(_wrapped(block) for block in text.split("\n\n"))


def _crashes() -> str:
    fields = [replace(field, name=f"{prefix}{field.name}") for prefix, fields in LISTS for field in fields]
    return _CRASHES + _table(fields) + _CRASHES_END


def _of_project(settings: Settings, metrics: Sequence[Property]) -> str:
    names = ", ".join(f"`{entry.name}`" for entry in metrics) or "none"
    foreign = any(entry.provider for entry in metrics)
    return f"\nThe project here ({settings.name}) asks for: {names}.{' Of other distributions:' * foreign}\n"


def _receivers(settings: Settings) -> str:
    """Who collects in a project, and where to; nothing of what its file says can change the page around it."""
    rows = [
        ("collected by", f"{settings.collector} {settings.contact}".strip()),
        ("why", settings.purpose),
        ("kept for", settings.retention or "(not said)"),
        *(("sent to", f"{sink.address} ({sink.type})") for sink in settings.sinks),
    ]
    cells = [f"| {name} | {_cell(text)} |" for name, text in rows]
    return "\n".join(["\nIn the project here:\n", "| | |", "|---|---|", *cells, ""])


def _wrapped(block: str) -> str:
    """A paragraph in lines of even length, whatever was put into it; lists and tables stay."""
    if not block[:1].isalpha():
        return block
    end = "\n" if block.endswith("\n") else ""
    return textwrap.fill(block, 110, break_long_words=False, break_on_hyphens=False) + end


def _table(entries: Sequence[Property]) -> str:
    rows = [f"| {' | '.join(_cells(entry))} |" for entry in entries]
    return "\n".join(
        ["", "| property | type | values | why | example | code |", "|---|---|---|---|---|---|", *rows, ""]
    )


def _cells(entry: Property) -> tuple[str, ...]:
    code = ", ".join(f"`{_cell(source)}`" for source in entry.sources)
    values = f"{entry.values} ({entry.shape})" if entry.provider else entry.values
    return (
        f"`{entry.name}`",
        entry.kind,
        _cell(values),
        _cell(entry.purpose),
        f"`{_cell(shown(entry.example))}`",
        code,
    )


def _cell(text: str) -> str:
    return "".join(f"\\{char}" if char in "|`<\\" else char for char in text)
