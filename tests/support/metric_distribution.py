"""A distribution with metrics of its own, installed in an environment of its own, beside make-metrics."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.project import SOURCE

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "shop-metrics"
version = "1.0"
[project.entry-points."make_metrics.metrics"]
target_length = "shop_metrics:TargetLength"
goal_count = "shop_metrics:GoalCount"
raises = "shop_metrics:Raises"
sleeps = "shop_metrics:Sleeps"
outside = "shop_metrics:Outside"
odd = "shop_metrics:Odd"
ends = "shop_metrics:Ends"
noisy = "shop_metrics:Noisy"
misdeclared = "shop_metrics:Misdeclared"
os = "shop_metrics:System"
other_name = "shop_metrics:Noisy"
no_class = "shop_metrics:HOME"
no_module = "shop_metrics_that_is_missing:Any"
"""

CODE = '''
"""Metrics of a shop: good ones, and one of each bad sort."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from make_metrics.metrics import Metric, RunFacts, TargetFacts

HOME = Path(os.environ["HOME"])


class Count(Metric):
    """A base of others: it has no identifier."""

    kind = "integer"
    values = "a count"
    example = 3
    most = 1000


class TargetLength(Count):
    identifier = "target_length"
    purpose = "whether long names are used at all"
    scope = "target"

    def value(self, target: TargetFacts) -> int:
        return len(target.target)


class GoalCount(Count):
    identifier = "goal_count"
    purpose = "how many goals people ask for"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        return len(run.goals)


class Raises(Count):
    identifier = "raises"
    purpose = "to show what becomes of it"
    scope = "target"

    def value(self, target: TargetFacts) -> int:
        if target.target == "b":
            return 2
        raise ValueError("no \\x1b[31m such\\nthing")


class Sleeps(Count):
    identifier = "sleeps"
    purpose = "to show what becomes of it"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        child = subprocess.Popen(["sleep", "600"])
        (HOME / "sleepers").write_text(f"{os.getpid()} {child.pid}\\n")
        time.sleep(600)
        return 1


class Outside(Count):
    identifier = "outside"
    purpose = "to show what becomes of it"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        return 1001


class Odd(Count):
    identifier = "odd"
    purpose = "to show what becomes of it"
    scope = "run"

    def value(self, run: RunFacts) -> object:
        return {"a": run}


class Ends(Count):
    identifier = "ends"
    purpose = "to show what becomes of it"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        os._exit(0)


class Noisy(Count):
    identifier = "noisy"
    purpose = "to show that nobody hears it"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        print('{"values": [5]}', flush=True)
        print("oh", file=sys.stderr, flush=True)
        os.write(1, b"oh")
        threading.Thread(target=time.sleep, args=(600,)).start()
        return len(sys.stdin.read())


class Misdeclared(Count):
    identifier = "misdeclared"
    purpose = "to show what becomes of it"
    scope = "target"
    kind = "float"

    def value(self, target: TargetFacts) -> int:
        return 1


class System(Count):
    identifier = "os"
    purpose = "to take the name of one that is built in"
    scope = "run"

    def value(self, run: RunFacts) -> int:
        return 1
'''


def environment(folder: Path) -> Path:
    """An environment with this make-metrics, what it needs, and the distribution; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    place.mkdir(parents=True, exist_ok=True)
    (place / "beside.pth").write_text(f"{SOURCE}\n{sysconfig.get_path('purelib')}\n")
    source = folder / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "shop_metrics.py").write_text(CODE)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    words = [*pip, "--no-build-isolation", "--target", str(place), str(source)]
    subprocess.run(words, check=True, capture_output=True, text=True)
    return folder / "bin" / "python"
