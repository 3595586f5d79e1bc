"""The kinds of sink that come with make-metrics. Their libraries are loaded only when something is sent or shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from make_metrics.sinks.sink import HOST, WRITE_KEY, Key, Kind, Sink, SinkSettings, Surroundings

_SEGMENT_HOST = "https://api.segment.io"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn(Kind):
    """A kind that is always installed, so that it may change what a project's notice says.

    `traces` is whether it is also given one message for each run, and with all messages their place in the run's trace.
    `split` makes receivers of what a table says: defaults, or several receivers of one. `choices` is whether one of
    those is told of a yes.
    """

    traces: bool = False
    choices: Callable[[SinkSettings], bool] = lambda _: True
    split: Callable[[SinkSettings], tuple[SinkSettings, ...]] = lambda settings: (settings,)


def _segment(settings: SinkSettings, surroundings: Surroundings) -> Sink:
    from make_metrics.sinks.segment import SegmentSink

    return SegmentSink(key=settings.key, host=settings.host, network=surroundings.network)


def _otlp(settings: SinkSettings, surroundings: Surroundings) -> Sink:
    from make_metrics.sinks.otlp.sink import OtlpSink

    return OtlpSink(settings, surroundings.network)


def _file(settings: SinkSettings, surroundings: Surroundings) -> Sink:
    from make_metrics.sinks.file import FileSink

    return FileSink(settings.host, surroundings.directory, must_exist=surroundings.own_directory)


def _signals(settings: SinkSettings) -> tuple[SinkSettings, ...]:
    """A receiver for each signal: each accepts for itself, so that a retry of one never repeats the other."""
    more = tuple((name, value) for name, value in settings.more if name != "signals")
    wanted = settings.get("signals") or "traces and metrics"
    return tuple(
        replace(settings, host=f"{settings.host}/v1/{signal}", more=more)
        for signal in ("traces", "metrics")
        if signal in wanted
    )


def _readable_protobuf(url: str, body: bytes) -> str:
    from make_metrics.sinks.otlp.text import readable

    return readable(url, body)


SEGMENT = BuiltIn(
    make=_segment,
    keys=(WRITE_KEY, replace(HOST, needed=False)),
    split=lambda settings: (replace(settings, host=settings.host or _SEGMENT_HOST),),
)
OTLP = BuiltIn(
    make=_otlp,
    keys=(
        HOST,
        replace(WRITE_KEY, needed=False),
        Key("key-header", "must be the name of the header that carries the key", r"[A-Za-z][A-Za-z0-9-]{0,63}"),
        Key("service", "must be at most 40 letters, digits, _ and -, beginning with none of those two", _NAME),
        Key("signals", 'must be "traces" or "metrics"; leave it out for both', "traces|metrics"),
    ),
    needs="opentelemetry.exporter.otlp.proto.http",
    install="pip install 'make-metrics[otlp]'",
    traces=True,
    choices=lambda settings: settings.host.endswith("traces"),
    split=_signals,
    shown=_readable_protobuf,
)
FILE = BuiltIn(
    make=_file,
    keys=(Key("name", "must be at most 40 letters, digits, _ and -, beginning with none of those two", _NAME),),
    split=lambda settings: (replace(settings, host=f"{settings.get('name', 'events')}.jsonl", more=()),),
)
