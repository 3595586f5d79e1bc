"""The transparency page: what is collected, why, by which files, who gets it, and how to stop. Pure.

docs/transparency.md is the page of make-metrics itself. A project's own page also names its collector, its receivers
and the metrics that it asks for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from make_metrics.consent.gate import MAX_TIMES
from make_metrics.consent.notice import ADDRESS, FILES_KEPT, FILES_SENT, JOINS, NEVER
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes.report import LISTS
from make_metrics.dataclass import replace
from make_metrics.hot.failure_log import LIMIT_FILES
from make_metrics.project.settings import NAME, Settings
from make_metrics.properties.labels import labels
from make_metrics.properties.property import Property, shown
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from make_metrics.properties.trace import RUN, TRACE
from make_metrics.store.bounds import DAY_NS, OUTBOX_BYTES, OUTBOX_EVENTS
from make_metrics.store.outbox import KEEP_NS, KEEP_SENT_NS

_TOP = f"""# What make-metrics collects, and what becomes of it

<!-- Made from properties/registry.py and what it imports: docs/transparency.md by `python -m ci.transparency`, a
project's own page by `make-metrics transparency`. Change those, not this. -->

Everything stays on your machine until you say yes. A project asks for your yes with a file `{NAME}` beside its
Makefile. Neither that file nor an environment variable can say yes for you. You decide about each project separately.
Until you have decided, make shows two short lines that invite you to, after its first recipe line in a terminal: at
most once a week, and {MAX_TIMES} times in all. In CI nothing is recorded unless something was decided there.

## Why

Before it asks, `make-metrics opt-in` shows the project's notice: why the project collects, who collects, how long it is
kept, and the list below. Your yes is for that notice. If a property, a receiver or anything else in it changes, sending
pauses until you say yes again. What was recorded before your yes is never sent.
"""

_SENT = """
## What is sent

One event for each target that make runs, with these properties and no others:
"""

_ASKED_FOR = f"""
A project can ask for more metrics in its `{NAME}` (`metrics = ["os", "jobs"]`). They are sent only if the project asks
for them and you have said yes to the notice that lists them. Before that they are not even computed, except to be shown
by `make-metrics preview`. Each is computed after the run:
"""

_FOREIGN = """
A project can also ask for metrics of other distributions, by name. They exist only if you have installed such a
distribution beside make-metrics; a file in the repository is never run. `make-metrics transparency` shows this page
with those of the project. `make-metrics doctor` shows what is wrong with them.
"""

_LABELS = f"""
A project can give all its events labels in its `{NAME}` (`labels = {{ team = "build" }}`): at most eight texts that
are the same for everybody. Each is a property of its own (`label_team`). Its notice lists them word for word.
"""

_REQUESTS = """
Each request to a receiver of type `segment` also contains the time of sending (`sentAt`) and the project's public key
(`writeKey`). To a host for which you have set headers in your own `settings.toml` each request has these headers. No
command shows them, and they are not kept with what was sent.
"""

_TRACES = f"""
Receivers of type `otlp`, and no others, also get each run of make itself, with
{", ".join(f"`{entry.name}`" for entry in RUN)}, and the place of each event in the trace of its run. They get the
properties above, and no others, as attributes of spans and of durations. {JOINS} All other ids of a trace are made from
your id, so that the collectors of two projects cannot match them:
"""

_NEVER = f"""
## What is never sent

{NEVER[0].upper()}{NEVER[1:]}. {FILES_KEPT} A project can ask to send their names. Its notice then says:
"{FILES_SENT}" A target counts as a file if it has a `/` or a backslash, begins with `~` or a dot, has the ending of a
file (`.o`, `.html`, ...), or has the name of a file beside the Makefile at the time when the run is combined (as soon
as make has ended, or with the next report or `flush`); the rule is in `deliver/message.py`. A name with characters
other than letters, digits and `. : + % _ -` is not sent either.

A target's name is sent only if an explicit rule in one of the project's makefiles spells it, as it stands or in a
variable that the makefiles set to plain words. Of a target that a pattern rule made, the pattern is sent, such as
`ssh-%`; it is the same for a name that a makefile computes in part (`deploy-$(USER)` gives `deploy-%`). All others are
sent as `other`: arguments that only a rule for anything (`%:`, `.DEFAULT`) takes, and what a makefile computes from
goals, environment or the output of a program. The makefiles are those of make's command line or its directory, with
those that they include, as they are when the run is combined. Only those in the repository count, and of those only the
ones that git tracks; the rule is in `project/target_names.py`. The names themselves stay on this machine: `make-metrics
report` shows them.

The id is a pseudonym; it does not make you anonymous: the receiver can tell that two events come from the same person.
The id is random and for one project only. It is made when you say yes, and deleted when you say no. {ADDRESS}
"""

_RECEIVERS = f"""
## Who gets it

Only the receivers that the project's `{NAME}` names get it; `make-metrics status` shows them. Redirects are not
followed. A receiver of type `file` is a file on this machine, in the directory of make-metrics or in one that you name;
make-metrics does not send it anywhere. A receiver has `https://`, or is on this machine. Only your own `settings.toml`
can allow another one to have `http://`, which can be read on the way. The notice, `status` and `preview` then say so.
What waits to be sent is kept for at most {KEEP_NS // DAY_NS} days, and at most
{OUTBOX_EVENTS:,} events or {OUTBOX_BYTES // 1_000_000} MB of all projects together.
"""

_BOTTOM = f"""
## See it for yourself

- `make-metrics preview` prints the exact bytes and the address, before or after a yes, and opens no connection.
- `make-metrics sent` prints the exact bytes that were sent in the last {KEEP_SENT_NS // DAY_NS} days.
- `make-metrics schema` prints what an event may contain, as tables or as JSON Schema.
- `make-metrics status` says whether anything is sent, and which rule decided that.
- `MAKE_METRICS=log` makes `make-metrics flush` and `make-metrics opt-out` print what they would
  send, instead of sending it.

## How to stop

- `make-metrics erase`, or `opt-out --erase`, asks receivers to delete what they hold of your id, also of an earlier
  yes. The id is all that is sent, and the permission. `status` shows whether they have answered; until then `flush`,
  `erase`, senders and commands that read what is recorded ask again. The notice says which receivers can; for all
  others ask whoever collects.
- `make-metrics opt-out` stops sending from a project, and deletes what waits and your id. It sends nothing, unless the
  project's notice said that it sends a last event.
- With `DO_NOT_TRACK=1` or `MAKE_METRICS=local` in its environment, what a make does is never sent.
- `make-metrics on-this-machine` takes back every yes so far, for all projects. Recording goes on, on this machine only.
- `make-metrics off` turns recording off until `make-metrics on`, `MAKE_METRICS=off` in the environment for one make.
- When one of these commands returns, nothing leaves any more: it waits three seconds for a sender, and then ends it.
- `make-metrics forget` removes what was recorded on this machine.
"""

_OTHERS = """
## What others on this machine see

While a recipe line runs, the list of processes (`ps`) shows a process `make-metrics: line of make 1234`, where 1234 is
make's process id. The program overwrites its own words with that: they would repeat the target and the line, and a
recipe's `pkill -f NAME` would find them. `make-metrics doctor` says where the interpreter runs the lines instead of the
compiled program. It cannot do so, and all its words are seen. The walk beside a make's first line and the sender show
their words too: make's version and goals, and our paths; never a key or an address.
"""

_CRASHES = f"""
## Failures of make-metrics itself

Failures of make-metrics are written to a log on this machine: at most {LIMIT_FILES} failures, for
{crash_log.KEEP_NS // DAY_NS} days. `make-metrics doctor` shows the last ones. They are reported only after a second,
separate yes: `make-metrics crash-reports on` asks for it if the project's `{NAME}` names a receiver
(`crash-reports-dsn`). Then each failure in that project gives one report, which is sent when events are sent, or by
`make-metrics flush`. It contains:
"""

_CRASHES_END = f"""
Never sent: {crash_notice.NEVER}. A report contains no id of yours, and no time.

- `make-metrics crash-reports preview` prints the exact bytes, and `make-metrics sent` those that were sent.
- `make-metrics crash-reports off` stops the reports, and so does `make-metrics opt-out`. `DO_NOT_TRACK=1` and
  `MAKE_METRICS=local` hold for them too.
"""

_CODE = """
## Where the code is

These files are in shim/make_metrics/ in the repository.

| what | file |
|---|---|
| which rule decides | `consent/mode.py`, `environment.py`, `project/root.py` |
| what you decided | `consent/consent.py`, `consent/decision_file.py`, `consent/anonymous_id.py` |
| what the notice says | `consent/notice.py`, `project/settings.py` |
| what may be sent | `properties/registry.py`, `properties/always.py`, `properties/property.py` |
| what is sent | `deliver/permissions.py`, `deliver/outgoing.py`, `deliver/message.py` |
| which names are sent | `project/target_names.py`, `project/makefile_rules.py` |
| how metrics are computed | `metrics/collector.py`, `properties/metric.py`, `properties/facts.py` |
| metrics of other distributions | `metrics/catalogue.py`, `metrics/child.py`, `metrics/worker.py` |
| what waits, and what was sent | `store/outbox.py` |
| which headers and clear text you allow | `sinks/user_settings.py` |
| what a trace is made from | `deliver/trace.py`, `properties/trace.py`, `deliver/traceparent.py` |
| the sending | `sender/sender.py`, `deliver/to_sink.py`, `sinks/network.py` |
| the receivers | `sinks/segment.py`, `sinks/otlp/sink.py`, `sinks/file.py` |
| the log of failures | `hot/failure_log.py`, `crashes/log.py` |
| what a crash report may contain | `crashes/report.py`, `crashes/own_message.py`, `crashes/notice.py` |
| sending crash reports | `crashes/delivery.py`, `crashes/sentry.py` |
"""


def page(settings: Settings | None = None, metrics: Sequence[Property] = ()) -> str:
    """The page as Markdown; the project's own if its settings and the metrics that it asks for are given."""
    foreign = [entry for entry in metrics if entry.provider]
    text = "".join(
        (
            _TOP,
            _SENT,
            _table(PROPERTIES),
            _ASKED_FOR,
            _table(OPTIONAL),
            _FOREIGN,
            _project_metrics(settings, metrics) if settings else "",
            _table(foreign) if foreign else "",
            _LABELS,
            _table(labels(settings)) if labels(settings) else "",
            "\nYour yes is an event too. Of the properties above it has ",
            ", ".join(f"`{entry.name}`" for entry in CHOICE if entry in PROPERTIES),
            ", and it adds:\n",
            _table([entry for entry in CHOICE if entry not in PROPERTIES]),
            "\nEach event is sent with:\n",
            _table(ENVELOPE),
            _REQUESTS,
            _TRACES,
            _table(TRACE),
            _NEVER,
            _RECEIVERS,
            _receivers(settings) if settings else "",
            _BOTTOM,
            _OTHERS,
            _crash_reports(),
            _CODE,
        )
    )
    return "\n\n".join(_wrapped(block) for block in text.split("\n\n"))


def _crash_reports() -> str:
    fields = [replace(field, name=f"{prefix}{field.name}") for prefix, fields in LISTS for field in fields]
    return _CRASHES + _table(fields) + _CRASHES_END


def _project_metrics(settings: Settings, metrics: Sequence[Property]) -> str:
    names = ", ".join(f"`{entry.name}`" for entry in metrics) or "none"
    foreign = any(entry.provider for entry in metrics)
    return f"\nThe project here ({settings.name}) asks for: {names}.{' These are of other distributions:' * foreign}\n"


def _receivers(settings: Settings) -> str:
    """Who collects in a project, and where the events go; the texts of its settings are escaped."""
    rows = [
        ("collected by", f"{settings.collector} {settings.contact}".strip()),
        ("why", settings.purpose),
        ("kept for", settings.retention or "(not said)"),
        *(("sent to", f"{sink.address} ({sink.type})") for sink in settings.sinks),
    ]
    cells = [f"| {name} | {_cell(text)} |" for name, text in rows]
    return "\n".join(["\nIn the project here:\n", "| | |", "|---|---|", *cells, ""])


def _wrapped(block: str) -> str:
    """A paragraph wrapped again, because its values vary in length; a list or a table unchanged."""
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
