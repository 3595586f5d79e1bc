"""The notice that is shown before a yes: what is collected, why, and who gets it. Made from registry and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from make_metrics.project.settings import Settings
from make_metrics.properties.labels import values
from make_metrics.properties.property import Property, shown
from make_metrics.properties.registry import CHOICE, ENVELOPE, PROPERTIES
from make_metrics.properties.trace import TRACE
from make_metrics.sinks.kinds import takes_traces
from make_metrics.sinks.sink import ERASURE, SinkSettings
from make_metrics.sinks.user_settings import is_clear_text

NEVER = (
    "command lines, names of targets that only you have typed, variables, the text or output of recipes, the "
    "environment, absolute paths, and the names of hosts, users and branches, or e-mail addresses"
)
FILES_KEPT = "Targets that are files are kept on this machine."
FILES_SENT = "The names of targets that are files are sent too, as paths within the project."
FILE = "A .jsonl file lies on this machine (make-metrics status says where); who takes it from there, we cannot know."
RUNS = (
    "Receivers of kind otlp get spans and durations made from this, under the name of the project or of its service, "
    "also of each run of make itself, and with each its place in the trace of its run:"
)
JOINS = (
    "If TRACEPARENT is set when make starts, that trace is the run's too: whoever sees both knows what started make."
)
LABELS = "Each event, your yes too, also has these labels of the project, word for word:"
CLEAR_TEXT = "Whoever is on the way to {} can read what is sent there: it is not encrypted."
ERASES = (
    "{} deletes what it holds of your id if you ask for that: make-metrics opt-out --erase, or erase at any time later."
)
ERASES_NOT = "No receiver says that it can delete what it holds of your id: ask whoever collects it."
ADDRESS = "Whoever runs the receiver can also see the network address that you send from."


def text(settings: Settings, metrics: Sequence[Property]) -> str:
    """The notice of a project that asks for these metrics, for a terminal; each line ends with a newline."""
    heading = [
        ("Project", settings.name),
        ("Collected by", settings.collector + (f" ({settings.contact})" if settings.contact else "")),
        ("Why", settings.purpose),
        ("Kept for", settings.retention or "(not said)"),
        *([("Branch", f"{settings.default_branch} counts as the default branch")] if settings.default_branch else []),
        *(("Sent to", receiver(sink)) for sink in settings.sinks),
    ]
    lines = [
        "This project asks for a record of how its make targets are used. Nothing is sent without your yes.",
        "",
        *(f"  {name + ':':14}{value}" for name, value in heading),
        "",
        f"Each target that make runs here gives one event ({settings.event}) with:",
        *(_line(entry) for entry in PROPERTIES),
        *(["and, since this project asks for them, with:"] if metrics else []),
        *(_line(entry) for entry in metrics),
        "Your yes is an event as well, without those of a target, and with:",
        *(_line(entry) for entry in CHOICE if entry not in PROPERTIES),
        *_labels(settings),
        "Around each event:",
        *(_line(entry) for entry in ENVELOPE),
        *_for_traces(settings),
        "",
        f"Never sent: {NEVER}.",
        FILES_SENT if settings.file_targets else FILES_KEPT,
        *([FILE] if any(sink.type == "file" for sink in settings.sinks) else []),
        *clear_text(sink.host for sink in settings.sinks),
        ADDRESS,
        *_erasure(settings),
        "If you opt out later, one last event with your id says so."
        if settings.opt_out_event
        else "If you opt out later, nothing says so: sending just ends.",
        "",
        "make-metrics preview shows the exact bytes first, sent shows them afterwards, opt-out ends it at any time.",
    ]
    return "".join(f"{line}\n" for line in lines)


def _for_traces(settings: Settings) -> list[str]:
    """The lines about what only receivers of traces get; none if the project has no such receiver."""
    if not any(takes_traces(sink.type) for sink in settings.sinks):
        return []
    return [RUNS, *(_line(entry) for entry in TRACE), JOINS]


def _erasure(settings: Settings) -> list[str]:
    """The lines about which receivers can erase what they hold."""
    erasing = dict.fromkeys(sink.address for sink in settings.sinks if sink.erases)
    return [ERASES.format(address) for address in erasing] or [ERASES_NOT]


def _labels(settings: Settings) -> list[str]:
    return [LABELS, *(f"  {name}: {text}" for name, text in values(settings).items())] if settings.labels else []


def clear_text(addresses: Iterable[str]) -> list[str]:
    """A line for each of these addresses to which messages go in clear text."""
    return [CLEAR_TEXT.format(address) for address in dict.fromkeys(addresses) if is_clear_text(address)]


def receiver(sink: SinkSettings) -> str:
    """A sink for people, as its table in the settings says; nothing here depends on what is installed."""
    details = [
        sink.type,
        *([f"public key {sink.key}"] if sink.key else []),
        *(f"{name} {value}" for name, value in sink.more if name != ERASURE),
    ]
    return f"{sink.address} ({', '.join(details)})"


def _line(entry: Property) -> str:
    provider = (
        f"\n      {entry.shape}; computed by {entry.provider}, which you have installed" if entry.provider else ""
    )
    return f"  {entry.name}: {entry.purpose}\n      {entry.values} (such as {shown(entry.example)}){provider}"


def version(settings: Settings, metrics: Sequence[Property]) -> str:
    """The version of a project's notice: a hash of its text, 16 hexadecimal digits."""
    return hashlib.sha256(text(settings, metrics).encode()).hexdigest()[:16]
