"""The notice of crash reports: what a report contains, why, and who gets it; made from `crashes.report`."""

from __future__ import annotations

import hashlib

from make_metrics.consent.notice import ADDRESS, clear_text
from make_metrics.crashes.report import LISTS, PACKAGE
from make_metrics.project.settings import Settings

NEVER = (
    "command lines, the names of targets, the environment, the names of hosts and users, paths outside of "
    "make-metrics, the values of variables, lines of source code, and messages that are not ours, such as the "
    "operating system's"
)


def text(settings: Settings) -> str:
    """The notice of a project with a DSN, for a terminal; lines end with a newline."""
    collector = settings.collector + (f" ({settings.contact})" if settings.contact else "")
    host = settings.crash_dsn.host if settings.crash_dsn else ""
    lines = [
        "This project asks for reports of failures of make-metrics itself, in this project. It is a question of its",
        "own: your answer says nothing about the record of targets. Nothing is sent without your yes.",
        "",
        f"  Project:      {settings.name}",
        f"  Collected by: {collector}",
        "  Why:          to find and repair what is wrong with make-metrics",
        f"  Kept for:     {settings.retention or '(not said)'}",
        f"  Sent to:      {host} (Sentry's protocol, {settings.crash_dsn.text if settings.crash_dsn else ''})",
        "",
        "A failure of make-metrics gives one report, with:",
        *(
            f"  {prefix}{field.name}: {field.purpose}\n      {field.values} (such as {field.example})"
            for prefix, fields in LISTS
            for field in fields
        ),
        "",
        f"Never sent: {NEVER}.",
        *clear_text([host]),
        ADDRESS,
        "",
        "make-metrics crash-reports preview shows the exact bytes, make-metrics doctor the failures themselves, which",
        "are kept on this machine; make-metrics crash-reports off ends it at any time.",
    ]
    return "".join(f"{line}\n" for line in lines)


def version(settings: Settings) -> str:
    """The version of a project's notice: a hash of its text, 16 hexadecimal digits.

    The package was once called `shim`. Hash that name, so that users who said yes then are not asked again.
    """
    return hashlib.sha256(text(settings).replace(f"{PACKAGE}/", "shim/").encode()).hexdigest()[:16]
