"""The sink that a project's settings name."""

from __future__ import annotations

from shim.settings import SinkSettings
from shim.sinks import Sink


def sink_of(settings: SinkSettings) -> Sink:
    """The sink for one entry of the settings, whose type `shim.settings` has checked. Loads its library."""
    from shim.sinks.segment import SegmentSink

    return SegmentSink(key=settings.key, host=settings.host)
