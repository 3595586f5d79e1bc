"""The kinds of sink that come with make-metrics. Their libraries are loaded only to send or to show a message."""

from __future__ import annotations

from collections.abc import Callable

from make_metrics.dataclass import dataclass, replace
from make_metrics.sinks.sink import ERASURE, HOST, WRITE_KEY, Key, Kind, Sink, SinkSettings, Surroundings

_SEGMENT_HOST = "https://api.segment.io"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn(Kind):
    """A kind that is always installed. So it may change the receivers that a project's notice names.

    `traces` is whether its sinks get a message for each run too, and in every message the place in the run's trace.
    `split` turns a table into its receivers: it fills in defaults, or makes several of one. `choices` is whether a
    receiver gets a message about a yes.
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
    """A receiver for each signal. Each has a verdict of its own, so a retry of one never repeats the other."""
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
    keys=(
        WRITE_KEY,
        replace(HOST, needed=False, added=("/v1/batch",)),
        Key(
            ERASURE,
            "must be true or false: whether the receiver is one of make-metrics serve, which can erase",
            kind=bool,
        ),
    ),
    split=lambda settings: (replace(settings, host=settings.host or _SEGMENT_HOST),),
)
OTLP = BuiltIn(
    make=_otlp,
    keys=(
        replace(HOST, added=("/v1/traces", "/v1/metrics")),
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
