"""What is shown before a yes to crash reports: the kinds of things in them. The notice has all of it."""

from __future__ import annotations

from make_metrics.project.settings import Settings


def lines(settings: Settings) -> list[tuple[str, str]]:
    """The summary of a project with a DSN: a label and a text for each line."""
    host = settings.crash_dsn.host if settings.crash_dsn else ""
    return [
        ("", f"{settings.name} would like reports of failures of make-metrics itself."),
        ("Who", settings.collector + (f" ({settings.contact})" if settings.contact else "")),
        ("Why", "to find and repair what is wrong with make-metrics"),
        ("What", "the kind of error, lines of make-metrics' own code, versions; nothing of your project"),
        ("Where", f"{host} (Sentry's protocol)"),
        ("Kept", settings.retention or "(not said)"),
        ("Stop", "make-metrics crash-reports off"),
    ]
