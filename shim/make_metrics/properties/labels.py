"""The labels that a project gives all its events, as properties: each has one value, the same for everybody."""

from __future__ import annotations

from make_metrics.project.settings import Settings
from make_metrics.properties.property import Property

PREFIX = "label_"


def labels(settings: Settings | None) -> tuple[Property, ...]:
    """The properties of a project's labels; none without settings."""
    return tuple(_property(name, text) for name, text in (settings.labels if settings else ()))


def values(settings: Settings | None) -> dict[str, str]:
    """The labels by the names of their properties, as each event of the project has them."""
    return {entry.name: entry.choices[0] for entry in labels(settings)}


def _property(name: str, text: str) -> Property:
    return Property(
        name=f"{PREFIX}{name}",
        kind="string",
        values=f"always {text}",
        purpose="a label of the project, the same in all its events",
        example=text,
        sources=("make_metrics/properties/labels.py",),
        scope="run",
        choices=(text,),
    )
