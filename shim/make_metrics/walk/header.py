"""The header of a make's record: what the walk finds out about one make process."""

from __future__ import annotations

import contextlib
import os

import psutil

from make_metrics import environment
from make_metrics.consent.policy import read_policy
from make_metrics.deliver import traceparent
from make_metrics.files import user_dirs
from make_metrics.hot import append, record_format
from make_metrics.processes import command_line
from make_metrics.processes.keys import boot_id, start_time_ns
from make_metrics.processes.tree import MakeAbove, initial_environment
from make_metrics.project import git_head

# The facts of one make process, by the names of the fields of `combine.record.Make`.
Facts = dict[str, "str | int | bool | tuple[str, ...]"]


def ceiling_of(initial: dict[str, str]) -> str:
    """The most that the administrator and a make's two environments allow: the initial one, and that of its recipes.

    The lowest counts, so a makefile cannot lift what the developer has set. If a makefile moves our directories, its
    recipes would find other decisions than the developer's: then no more than `local`.
    """
    most = read_policy().most
    if any(initial.get(name) != os.environ.get(name) for name in user_dirs.VARIABLES):
        return environment.lowest("local", most, environment.ceiling(os.environ), environment.ceiling(initial))
    return environment.lowest(most, environment.ceiling(os.environ), environment.ceiling(initial))


def describe(
    make: psutil.Process,
    key: str,
    above: list[MakeAbove],
    *,
    default_goal: str = "",
    makeflags: str = "",
    version: str = "",
) -> Facts:
    """The facts of a make process. `version` is empty for a make that does not include the fragment."""
    directory, words = "", list[str]()
    with contextlib.suppress(psutil.Error):
        words = command_line.without_emulator(make.cmdline())
        directory = make.cwd()
    goals, initial = command_line.goals(words), initial_environment(make, os.environ)
    head = git_head.read_head(directory) if directory else git_head.Head()
    return dict(
        key=key,
        parent=above[0].key if above else "",
        parent_target=above[0].target if above else "",
        level=len(above),
        goals=goals or ((default_goal,) if default_goal else ()),
        makefiles=command_line.makefiles(words),
        wall_ns=start_time_ns(make),
        directory=directory,
        version=version,
        is_test=os.environ.get("MAKE_METRICS_IS_TEST") or "no",
        repository=head.repository,
        head=head.commit,
        branch=head.branch,
        boot=boot_id(),
        ceiling=ceiling_of(initial),
        ci=environment.ci_service(os.environ),
        driver=environment.driver(os.environ),
        jobs=command_line.jobs(makeflags, words) if version else -1,
        traceparent="" if above else traceparent.as_version_0(initial.get("TRACEPARENT", "")),
        **command_line.flags(makeflags),
    )


def write_header(records: bytes, run: str, facts: Facts) -> None:
    """Append the header of a make process to its run's record; raises OSError."""
    append.append_entry(records, run.encode(), record_format.make_entry(facts))
