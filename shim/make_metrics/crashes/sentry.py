"""A receiver of Sentry's protocol. Loads sentry-sdk, which may not be there: see `make-metrics[sentry]`.

The SDK writes the envelope and the address; what it would add to an event (the machine's name, modules, an environment,
times) is left out again, and its own sending, which neither waits nor tells what came of it, is not used.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any

import requests
import sentry_sdk
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import Transport
from sentry_sdk.utils import Dsn

from make_metrics import __version__
from make_metrics.project.settings import Dsn as DsnSettings
from make_metrics.sinks.network import Session, unanswered
from make_metrics.sinks.sink import Network, Outcome, Prepared, UnavailableError, Verdict

_CLIENT = f"make-metrics/{__version__}"
_HOUR_S, _DAY_S = 3_600, 86_400
_RETRY_STATUS = frozenset({408, 429})
_SETTINGS_STATUS = frozenset({401, 403, 404, 501, 505})


class _Kept(Transport):
    """Takes the envelope that the SDK would send, and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep it."""
        self.taken.append(envelope)


class SentrySink:
    """The receiver that a DSN names."""

    def __init__(self, dsn: DsnSettings, network: Network | None = None) -> None:
        """Raises nothing, and opens nothing."""
        self._dsn, self._auth, self._network = dsn, Dsn(dsn.text).to_auth(_CLIENT), network or Network()

    def prepare(self, event: Mapping[str, Any]) -> Prepared:
        """The request for an event as `send` would make it; raises ValueError if the SDK makes anything else of it."""
        kept = _Kept()
        # All that the SDK would look for by itself, in the environment too (SENTRY_..., git), is given or turned off.
        client = sentry_sdk.Client(
            dsn=self._dsn.text,
            transport=kept,
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
        (envelope,) = kept.taken
        (item,) = envelope.items
        if item.type != "event" or item.payload.json != event:
            raise ValueError("the SDK sends something else")
        bare = Item(payload=PayloadRef(json=dict(event)), type="event")
        return Prepared(self._auth.get_api_url(), Envelope({"event_id": event["event_id"]}, [bare]).serialize())

    def send(self, event: Mapping[str, Any], *, timeout_s: float) -> Verdict:
        """Send an event within `timeout_s` seconds and judge the answer; never raises for network or receiver."""
        prepared = self.prepare(event)
        timeout_s = min(timeout_s, self._network.timeout_s)
        given: list[Verdict] = []
        # On a thread: a receiver that sends a byte now and then could hold us for as long as it likes.
        post = threading.Thread(target=lambda: given.append(self._post(prepared, timeout_s)), daemon=True)
        post.start()
        post.join(timeout_s)
        return given[0] if given else Verdict(Outcome.LATER, f"no answer within {timeout_s:g} s", prepared.url, b"")

    def _post(self, prepared: Prepared, timeout_s: float) -> Verdict:
        headers = {
            "User-Agent": _CLIENT,
            "Content-Type": "application/x-sentry-envelope",
            "X-Sentry-Auth": self._auth.to_header(),
        }
        try:
            with Session(self._network) as session:
                session.max_redirects = 1  # requests fails at 0 where it only looks at the next address
                answer = session.post(
                    prepared.url,
                    data=prepared.body,
                    headers=headers,
                    timeout=timeout_s,
                    allow_redirects=False,
                    stream=True,
                )
                answer.close()
        except (requests.RequestException, UnavailableError, OSError, UnicodeError) as error:
            return unanswered(error, timeout_s, prepared.url)
        return _judged(answer, prepared)


def _judged(answer: requests.Response, prepared: Prepared) -> Verdict:
    status = answer.status_code
    said = f"the receiver answered {status}"
    if 200 <= status < 300:
        return Verdict(Outcome.ACCEPTED, "accepted", prepared.url, prepared.body)
    if 300 <= status < 400:
        return Verdict(Outcome.HELD, f"{said}, a redirect: nothing was sent there", prepared.url)
    if status in _SETTINGS_STATUS:
        return Verdict(Outcome.HELD, f"{said}: the DSN in the settings is wrong", prepared.url, after_s=_HOUR_S)
    if status in _RETRY_STATUS or status >= 500:
        asked = (answer.headers.get(name, "") for name in ("Retry-After", "X-Sentry-Rate-Limits"))
        seconds = max((int(found[0]) for one in asked if (found := re.match(r"\d{1,9}", one))), default=0)
        return Verdict(Outcome.LATER, said, prepared.url, after_s=min(seconds, _DAY_S))
    return Verdict(Outcome.REFUSED, said, prepared.url)
