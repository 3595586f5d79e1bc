"""The OpenTelemetry sink: the official SDK's OTLP/HTTP exporters, called directly; one attempt and one verdict a batch.

Importing this takes some 300 ms: never where a recipe waits. The SDK reads no variable of the environment here: the
headers, resource attributes and client certificates that OTEL_... variables name are meant for another receiver.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Sequence
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from requests.adapters import BaseAdapter

from make_metrics.sinks.adapter import Adapter
from make_metrics.sinks.answer import judged_error, strangeness
from make_metrics.sinks.network import Nowhere, Session, unanswered
from make_metrics.sinks.otlp.signals import metrics, spans
from make_metrics.sinks.sink import Message, Network, Outcome, Prepared, SinkSettings, UnavailableError, Verdict

BATCH_MESSAGES = 500
BATCH_BYTES = 1_000_000
_SERVICE = "make"
_TYPES = frozenset({"application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"})
_HEADERS = frozenset({"user-agent", "accept-encoding", "accept", "connection", "content-type", "content-length"})


class _DoneError(Exception):
    """The one attempt is over. The exporter tries again only after errors of requests, and this is none."""


class _Once(Adapter):
    """Make one request, and keep its answer or error, which the exporter does not give back."""

    def __init__(self) -> None:
        super().__init__()
        self.request: requests.PreparedRequest | None = None
        self.answer: requests.Response | None = None
        self.error: Exception | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.request = request
        try:
            answer = super().send(request, *args, **kwargs)
        except Exception as error:
            self.error = error
            raise _DoneError from error
        self.answer = answer
        if not 200 <= answer.status_code < 300:
            raise _DoneError
        return answer


class _Session(Session):
    """A session that sends the protocol's headers and the project's, and none that come from the environment."""

    def __init__(self, network: Network, headers: dict[str, str], adapter: BaseAdapter) -> None:
        super().__init__(network)
        self._project_headers = headers
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        for name in [name for name in request.headers if name.lower() not in _HEADERS]:
            del request.headers[name]
        request.headers.update(self._project_headers)
        return super().send(request, **kwargs)


class OtlpSink:
    """A receiver of one signal, traces or metrics: OTLP over HTTP, in protobuf."""

    def __init__(self, settings: SinkSettings, network: Network | None = None) -> None:
        """Open no connection yet. The settings' host ends in /v1/traces or /v1/metrics."""
        self._url, self._network = settings.host, network or Network()
        self._traces = settings.host.endswith("/v1/traces")
        self._service = settings.get("service") or settings.project or _SERVICE
        header = settings.get("key-header")
        self._headers: dict[str, str] = {}
        if settings.key:
            self._headers = {header: settings.key} if header else {"Authorization": f"Bearer {settings.key}"}
        for name in ("opentelemetry", "urllib3"):  # they log the errors that become a verdict
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """Positions in batches of at most 500 messages and about 1 MB."""
        batches: list[list[int]] = []
        room = 0
        for position, message in enumerate(messages):
            size = len(json.dumps(message))
            if not batches or size > room or len(batches[-1]) == BATCH_MESSAGES:
                batches.append([])
                room = BATCH_BYTES
            batches[-1].append(position)
            room -= size
        return batches

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The request that `send` would make."""
        nowhere = Nowhere()
        with _Session(self._network, self._headers, nowhere) as session:
            self._export(batch, session, timeout_s=1)
        (request,) = nowhere.taken
        return Prepared(request.url or "", _body(request))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch and judge the answer."""
        once = _Once()
        timeout_s = min(timeout_s, self._network.timeout_s)
        try:
            with _Session(self._network, self._headers, once) as session:
                self._export(batch, session, timeout_s=timeout_s)
        except (requests.RequestException, UnavailableError, UnicodeError) as error:  # nothing was sent
            return unanswered(error, timeout_s, self._url)
        if once.error is not None:
            return unanswered(once.error, timeout_s, self._url)
        if once.answer is None or once.request is None:
            return Verdict(Outcome.HELD, "the receiver's address, or the proxy's, is none", self._url)
        if not 200 <= once.answer.status_code < 300:
            return judged_error(once.answer, self._url, messages=len(batch), types=_TYPES)
        if strange := strangeness(once.answer, types=_TYPES, is_answer=self._is_response):
            return Verdict(Outcome.LATER, strange, self._url)
        return self._accepted(len(batch), once.request, once.answer.content)

    def _export(self, batch: Sequence[Message], session: Session, *, timeout_s: float) -> None:
        options: dict[str, Any] = {
            "endpoint": self._url,
            "session": session,
            "timeout": timeout_s,
            "compression": Compression.NoCompression,
        }
        with contextlib.suppress(_DoneError):
            if self._traces:
                OTLPSpanExporter(**options).export(spans(batch, self._service))
            else:
                OTLPMetricExporter(**options).export(metrics(batch, self._service))

    def _is_response(self, content: bytes) -> bool:
        response = ExportTraceServiceResponse if self._traces else ExportMetricsServiceResponse
        try:
            response.FromString(content)
        except DecodeError:
            return False
        return True

    def _accepted(self, count: int, request: requests.PreparedRequest, answer: bytes) -> Verdict:
        """Accepted, unless the receiver rejects the only message of the batch.

        Of several messages it does not name the rejected ones. The protocol forbids to send the batch again, and the
        accepted ones would arrive twice.
        """
        rejected, reason = 0, ""
        with contextlib.suppress(DecodeError):
            if self._traces:
                trace = ExportTraceServiceResponse.FromString(answer).partial_success
                rejected, reason = trace.rejected_spans, trace.error_message
            else:
                metric = ExportMetricsServiceResponse.FromString(answer).partial_success
                rejected, reason = metric.rejected_data_points, metric.error_message
        reason = "".join(char for char in reason if char.isprintable())[:200]
        text = f"the receiver rejected {rejected} of {count}" + (f": {reason}" if reason else "")
        url = request.url or self._url
        if rejected and count == 1:
            return Verdict(Outcome.REFUSED, text, url)
        return Verdict(Outcome.ACCEPTED, f"accepted, but {text}" if rejected else "accepted", url, _body(request))


def _body(request: requests.PreparedRequest) -> bytes:
    return request.body if isinstance(request.body, bytes) else b""
