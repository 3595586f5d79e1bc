"""Metrics of make's invocation: the number of jobs, make's version, the CI service, and who started it."""

from __future__ import annotations

from make_metrics import environment
from make_metrics.properties.facts import RunFacts
from make_metrics.properties.metric import Metric


class Jobs(Metric):
    """How many recipes make may run at once."""

    identifier = "jobs"
    kind = "integer"
    values = "a count, 0 for no limit; left out where it is not known"
    purpose = "whether a change made builds faster, or more jobs did"
    example = 4
    scope = "run"
    most = 1_000_000
    sources = ("make_metrics/walk/header.py", "make_metrics/processes/command_line.py")

    def value(self, run: RunFacts) -> int | None:
        """The record's number; None if it is not known."""
        return run.jobs


class MakeVersion(Metric):
    """The version of make."""

    identifier = "make_version"
    kind = "string"
    values = "GNU make's version number"
    purpose = "which versions of make the makefiles have to work with"
    example = "4.4.1"
    scope = "run"
    pattern = "[0-9]{1,3}[.][0-9.]{1,12}"
    sources = ("make_metrics/walk/header.py",)

    def value(self, run: RunFacts) -> str | None:
        """The record's version; None if it is not known."""
        return run.make_version or None


class Service(Metric):
    """The CI service that make ran in."""

    identifier = "ci"
    kind = "string"
    values = f"one of {len(environment.CI_SERVICES)} services (make-metrics schema --json has all), other, or none"
    purpose = "to tell what machines do from what people do"
    example = "none"
    scope = "run"
    choices = (*environment.CI_SERVICES, environment.OTHER_CI, environment.NO_CI)
    sources = ("make_metrics/environment.py", "make_metrics/walk/header.py")

    def value(self, run: RunFacts) -> str | None:
        """The record's service; None if it is not known."""
        return run.ci or None


class Driver(Metric):
    """Who started make: a person, CI, or a coding assistant."""

    identifier = "driver"
    kind = "string"
    values = "person, ci, or agent: a coding assistant that announces itself in the environment; never which one"
    purpose = "to tell people's numbers from those of machines"
    example = environment.PERSON
    scope = "run"
    choices = (environment.PERSON, environment.CI, environment.AGENT)
    sources = ("make_metrics/environment.py", "make_metrics/walk/header.py")

    def value(self, run: RunFacts) -> str | None:
        """The record's word; None if it is not known."""
        return run.driver or None
