"""Proxies, certificate authorities and the meaning of HTTP answers, for every sink that uses requests.

The environment comes first (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE,
SSL_CERT_FILE), then the user's settings. This machine is reached without a proxy, whatever both say. No redirect is
followed, and no password of ~/.netrc is sent. The user's own headers go to the hosts that they are for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.utils import get_environ_proxies, should_bypass_proxies

from make_metrics.sinks.adapter import Adapter
from make_metrics.sinks.last_check import StoppedError
from make_metrics.sinks.sink import Network, Outcome, UnavailableError, Verdict
from make_metrics.sinks.user_settings import is_loopback_url, origin_of

_RETRY_STATUS = frozenset({408, 425, 429, 460})
# These 4xx reject the batch; every other 4xx blames key, address or proxy.
TOO_LARGE = 413
_REFUSED_STATUS = frozenset({400, TOO_LARGE, 422})
_HOUR_S = 3_600
_DAY_S = 86_400
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def authorities(network: Network, environ: Mapping[str, str]) -> str:
    """The file or directory of the certificate authorities to trust, empty for the library's own.

    Raises UnavailableError if it does not exist.
    """
    named = [(name, environ[name]) for name in _CA_VARIABLES if environ.get(name)]
    if network.ca_file:
        named.append(("ca-file", network.ca_file))
    for name, path in named[:1]:
        if not os.path.exists(path):  # noqa: PTH110
            raise UnavailableError(f"there is no file of certificates where {name} says: {path!a}")
        return path
    return ""


def proxies_for(network: Network, url: str) -> dict[str, str]:
    """The proxies for an address, by scheme; empty for a direct connection.

    To this machine it is direct: `http` is allowed to it because nothing leaves, and a proxy would be somebody else.
    """
    if is_loopback_url(url):
        return {}
    proxies: dict[str, str] = get_environ_proxies(url, no_proxy=None)
    if proxies or not network.proxy:
        return proxies
    if should_bypass_proxies(url, no_proxy=None) or should_bypass_proxies(url, no_proxy=network.no_proxy or None):
        return {}
    return {"http": network.proxy, "https": network.proxy}


class Session(requests.Session):
    """A session that uses the proxies and certificates of this machine's user, and follows no redirect.

    It asks for permission right before bytes leave (`sinks.last_check`), and reads 64 KiB of an answer at most. It adds
    the headers that the user has set for the request's own origin, in place of others of the same name.
    Raises UnavailableError if the file of certificates does not exist.
    """

    def __init__(self, network: Network) -> None:
        """Open nothing yet."""
        super().__init__()
        self._network = network
        self._authorities = authorities(network, os.environ)
        self.trust_env = False  # no ~/.netrc; `proxies_for` and `authorities` read the other variables
        self.max_redirects = 0
        self.mount("http://", Adapter())
        self.mount("https://", Adapter())

    def merge_environment_settings(
        self, url: str | bytes | None, proxies: object, stream: bool | None, verify: object, cert: object
    ) -> dict[str, Any]:
        """The options of a request, whatever its caller asked for. No client certificate: it would be the user's."""
        del proxies, verify, cert
        return {
            "proxies": proxies_for(self._network, str(url or "")),
            "stream": bool(stream),
            "verify": self._authorities or True,
            "cert": None,
        }

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request with the user's headers; raises what requests raises."""
        request.headers.update(self._network.headers_for(origin_of(request.url or "")))
        return super().send(request, **kwargs)


class Nowhere(BaseAdapter):
    """An adapter that keeps each request in `taken` and answers 200, without a connection."""

    def __init__(self) -> None:
        """Keep no request yet."""
        super().__init__()
        self.taken: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Keep a request, and answer 200."""
        self.taken.append(request)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url or ""
        return answer

    def close(self) -> None:
        """There is nothing to close."""


def judged(status: int, retry_after: str, url: str) -> Verdict:
    """The verdict for an answer whose status is not 2xx. `retry_after` is the header of that name, or empty."""
    answer = f"the receiver answered {status}"
    if 300 <= status < 400:
        return Verdict(Outcome.HELD, f"{answer}, a redirect: nothing was sent there", url)
    if status in _REFUSED_STATUS:
        return Verdict(Outcome.REFUSED, answer, url)
    if status in _RETRY_STATUS or (status >= 500 and status not in (501, 505)):
        return Verdict(Outcome.LATER, answer, url, after_s=_seconds(retry_after))
    return Verdict(Outcome.HELD, f"{answer}: its key or address in the settings is wrong", url, after_s=_HOUR_S)


def _seconds(retry_after: str) -> int:
    """The seconds that a Retry-After header asks for, a day at most; 0 if it cannot be read."""
    try:
        if retry_after.isdecimal():
            seconds = int(retry_after)
        else:
            seconds = int(parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(seconds, 0), _DAY_S)


def unanswered(error: Exception, timeout_s: float, url: str) -> Verdict:
    """The verdict for a request without an answer; raises the error again if it is not about the network."""
    if isinstance(error, StoppedError):
        return Verdict(Outcome.LATER, str(error), url)
    if isinstance(error, requests.TooManyRedirects):
        return Verdict(Outcome.HELD, "the receiver redirects elsewhere: nothing was sent there", url)
    if isinstance(error, requests.exceptions.SSLError):
        return Verdict(Outcome.LATER, "the receiver's certificate could not be verified", url)
    if isinstance(error, requests.exceptions.ProxyError):
        return Verdict(Outcome.LATER, "the proxy cannot be reached, or refuses", url)
    if isinstance(error, requests.exceptions.Timeout):
        return Verdict(Outcome.LATER, f"no answer within {timeout_s:g} s", url)
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | UnicodeError):
        return Verdict(Outcome.HELD, "the receiver's address, or the proxy's, is none", url)
    if isinstance(error, UnavailableError):
        return Verdict(Outcome.HELD, str(error), url)
    if isinstance(error, requests.RequestException | OSError):
        return Verdict(Outcome.LATER, "the receiver cannot be reached", url)
    raise error
