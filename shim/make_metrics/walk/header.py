"""The record's header of one make process: what the walk finds out about it."""

from __future__ import annotations

import contextlib
import os

import psutil

from make_metrics import environment
from make_metrics.deliver import traceparent
from make_metrics.files import user_dirs
from make_metrics.hot import append, record_format
from make_metrics.processes import command_line
from make_metrics.processes.keys import boot_id
from make_metrics.processes.tree import MakeAbove
from make_metrics.project import git_head

# The facts of one make process, by the names of the fields of `combine.record.Make`.
Facts = dict[str, "str | int | bool | tuple[str, ...]"]


def initial_environment(found: psutil.Process) -> dict[str, str]:
    """A make's environment as it was started; if that cannot be told, what it hands to recipes.

    It is empty for a program that macOS protects, such as its own make.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if began := found.environ():
            return began
    return dict(os.environ)


def ceiling_of(began: dict[str, str]) -> str:
    """The most that a make's environment allows to be done with its events.

    Its own, as it was started, and what it hands to recipes: a makefile cannot lift what the developer has set, nor
    lead to decisions that lie elsewhere than the developer's.
    """
    if any(began.get(name) != os.environ.get(name) for name in user_dirs.VARIABLES):
        return environment.lowest("local", environment.ceiling(os.environ), environment.ceiling(began))
    return environment.lowest(environment.ceiling(os.environ), environment.ceiling(began))


def describe(
    found: psutil.Process,
    key: str,
    above: list[MakeAbove],
    *,
    default_goal: str = "",
    makeflags: str = "",
    version: str = "",
) -> Facts:
    """What the record's header says of a make process."""
    directory, words = "", list[str]()
    with contextlib.suppress(psutil.Error):
        words = found.cmdline()
        directory = found.cwd()
    named, began = command_line.goals(words), initial_environment(found)
    checked_out = git_head.read_head(directory) if directory else git_head.Head()
    return dict(
        key=key,
        parent=above[0].key if above else "",
        parent_target=above[0].target if above else "",
        level=len(above),
        goals=named or ((default_goal,) if default_goal else ()),
        wall_ns=int(found.create_time() * 1_000_000_000),
        directory=directory,
        version=version,
        is_test=os.environ.get("MAKE_METRICS_IS_TEST") or "no",
        repository=checked_out.repository,
        head=checked_out.commit,
        branch=checked_out.branch,
        boot=boot_id(),
        ceiling=ceiling_of(began),
        ci=environment.ci_service(os.environ),
        jobs=command_line.jobs(makeflags, words) if version else -1,
        traceparent="" if above else traceparent.valid(began.get("TRACEPARENT", "")),
        **command_line.flags(makeflags),
    )


def write_header(records: bytes, run: str, facts: Facts) -> None:
    """Append a make process's header to its run's record; raises OSError if it cannot be written."""
    append.append_entry(records, run.encode(), record_format.make_entry(facts))
