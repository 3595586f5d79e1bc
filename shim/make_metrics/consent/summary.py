"""What is shown first before a yes: who asks, why, for what kinds of things, where they go, how long, and how to stop.

The notice, which has all of it, is shown on demand. A yes is for the notice: the summary has no version of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from make_metrics.project.settings import Settings
from make_metrics.properties.property import Property
from make_metrics.sinks.kinds import takes_traces
from make_metrics.sinks.sink import SinkSettings
from make_metrics.sinks.user_settings import is_clear_text

Lines = list[tuple[str, str]]
"""A label and a text for each line, in order."""

# The kinds of things that every event has, with the properties of each kind. tests/consent compares the registry.
KINDS: dict[str, tuple[str, ...]] = {
    "target names that makefiles spell": (
        "command",
        "command_type",
        "type",
        "event",
        "event_version",
        "messageId",
    ),
    "times": ("start_time", "timestamp", "duration_ms", "recipe_ms", "recipe_lines"),
    "exit status": ("exit_status",),
    "how make was run": ("goal", "make_level", "parallel", "is_test", "run_id", "parent_id"),
    "commit time": ("git_commit_time", "git_checked_out_master"),
    "a pseudonym": ("anonymousId",),
    "your yes": ("choice",),
}
TRACES = "the place in the trace of the run"
FILES = "also names of targets that are files"


def _receiver(sink: SinkSettings) -> str:
    return f"{sink.address} ({sink.type}{', not encrypted' if is_clear_text(sink.host) else ''})"


def lines(settings: Settings, metrics: Sequence[Property]) -> Lines:
    """The summary of a project that asks for these metrics."""
    kinds = [*KINDS]
    if any(takes_traces(sink.type) for sink in settings.sinks):
        kinds.append(TRACES)
    if settings.file_targets:
        kinds.append(FILES)
    if settings.labels:
        kinds.append("labels of the project")
    what = ", ".join(kinds) + (f"; also {', '.join(entry.name for entry in metrics)}" if metrics else "")
    stop = "make-metrics opt-out" + (", which one last event says" if settings.opt_out_event else "")
    if any(sink.erases for sink in settings.sinks):
        stop += "; with --erase what was sent is deleted too"
    return [
        ("", f"{settings.name} would like timing data about its make targets."),
        ("Who", settings.collector + (f" ({settings.contact})" if settings.contact else "")),
        ("Why", settings.purpose),
        ("What", what),
        ("Where", ", ".join(dict.fromkeys(map(_receiver, settings.sinks)))),
        ("Kept", settings.retention or "(not said)"),
        ("Stop", stop),
    ]
