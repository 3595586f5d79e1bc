"""`make-metrics store`: print the path of the store, for programs that read its views."""

from __future__ import annotations

import argparse
import json
import sys

from make_metrics.commands.reading import combined_store
from make_metrics.files.paths import Paths
from make_metrics.store import tables
from make_metrics.store.compact import views


def run(given: argparse.Namespace) -> int:
    """Print the path of the store, which has all runs that have ended; 0.

    Raises UserError if the store cannot be used.
    """
    path = str(Paths.from_environment().store)
    with combined_store() as store:
        version = tables.version(store.connection)
    document = {"path": path, "version": version, "views": list(views.NAMES)}
    sys.stdout.write(f"{json.dumps(document, indent=2) if given.json else path}\n")
    return 0
