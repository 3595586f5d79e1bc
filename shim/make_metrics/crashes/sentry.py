"""A receiver of Sentry's protocol. Needs sentry-sdk, which comes with the extra `make-metrics[sentry]`.

The SDK makes the envelope and the address. What it adds to an event (host name, modules, environment, times) is removed
again. Its sending is not used, because it reports no result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests
import sentry_sdk
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import Transport
from sentry_sdk.utils import Dsn

from make_metrics import __version__
from make_metrics.project.settings import Dsn as DsnSettings
from make_metrics.sinks.answer import judged_error, strangeness
from make_metrics.sinks.last_check import StoppedError
from make_metrics.sinks.network import Session, unanswered
from make_metrics.sinks.sink import Network, Outcome, Prepared, UnavailableError, Verdict

_CLIENT = f"make-metrics/{__version__}"
_HOUR_S, _DAY_S = 3_600, 86_400
_RETRY_STATUS = frozenset({408, 429})
_SETTINGS_STATUS = frozenset({401, 403, 404, 501, 505})


class _Capture(Transport):
    """Keeps the envelopes that the SDK would send, and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep the envelope."""
        self.envelopes.append(envelope)


class SentrySink:
    """The receiver that a DSN names."""

    def __init__(self, dsn: DsnSettings, network: Network | None = None) -> None:
        """Never raises, and opens no connection."""
        self._dsn, self._auth, self._network = dsn, Dsn(dsn.text).to_auth(_CLIENT), network or Network()

    def prepare(self, event: Mapping[str, Any]) -> Prepared:
        """The request that `send` would make for an event; raises ValueError if the SDK would change the event."""
        capture = _Capture()
        # The SDK looks up what is not given here, also in the environment (SENTRY_...) and in git: give or disable all.
        client = sentry_sdk.Client(
            dsn=self._dsn.text,
            transport=capture,
            before_send=lambda _event, _hint: dict(event),  # type: ignore[arg-type,return-value]
            release=str(event["release"]),
            environment="",
            server_name="",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            include_local_variables=False,
            include_source_context=False,
            attach_stacktrace=False,
            max_breadcrumbs=0,
            propagate_traces=False,
            traces_sample_rate=0,
            enable_backpressure_handling=False,
            spotlight=False,
            debug=False,
            project_root="/",
        )
        client.capture_event(dict(event))  # type: ignore[arg-type]
        (envelope,) = capture.envelopes
        (item,) = envelope.items
        if item.type != "event" or item.payload.json != event:
            raise ValueError("the SDK changed the event")
        bare = Item(payload=PayloadRef(json=dict(event)), type="event")
        return Prepared(self._auth.get_api_url(), Envelope({"event_id": event["event_id"]}, [bare]).serialize())

    def send(self, event: Mapping[str, Any], *, timeout_s: float) -> Verdict:
        """Send an event and return the verdict; network and receiver never make it raise.

        `timeout_s` limits connecting, and each wait for more of the answer.
        """
        prepared = self.prepare(event)
        timeout_s = min(timeout_s, self._network.timeout_s)
        headers = {
            "User-Agent": _CLIENT,
            "Content-Type": "application/x-sentry-envelope",
            "X-Sentry-Auth": self._auth.to_header(),
        }
        try:
            with Session(self._network) as session:
                session.max_redirects = 1  # with 0, requests fails when it only computes the next address
                answer = session.post(
                    prepared.url,
                    data=prepared.body,
                    headers=headers,
                    timeout=timeout_s,
                    allow_redirects=False,
                )
        except (requests.RequestException, UnavailableError, StoppedError, OSError, UnicodeError) as error:
            return unanswered(error, timeout_s, prepared.url)
        return _verdict(answer, prepared)


def _verdict(answer: requests.Response, prepared: Prepared) -> Verdict:
    status = answer.status_code
    text = f"the receiver answered {status}"
    if 200 <= status < 300:
        if strange := strangeness(answer):
            return Verdict(Outcome.LATER, strange, prepared.url)
        return Verdict(Outcome.ACCEPTED, "accepted", prepared.url, prepared.body)
    if 300 <= status < 400:
        return Verdict(Outcome.HELD, f"{text}, a redirect: nothing was sent there", prepared.url)
    if 400 <= status < 500 and status not in _RETRY_STATUS:
        verdict = judged_error(answer, prepared.url, messages=1)
        if verdict.outcome is Outcome.LATER:
            return verdict
    if status in _SETTINGS_STATUS:
        return Verdict(Outcome.HELD, f"{text}: the DSN in the settings is wrong", prepared.url, after_s=_HOUR_S)
    if status in _RETRY_STATUS or status >= 500:
        headers = (answer.headers.get(name, "") for name in ("Retry-After", "X-Sentry-Rate-Limits"))
        wait_s = max((int(number[0]) for header in headers if (number := re.match(r"\d{1,9}", header))), default=0)
        return Verdict(Outcome.LATER, text, prepared.url, after_s=min(wait_s, _DAY_S))
    return Verdict(Outcome.REFUSED, text, prepared.url)
