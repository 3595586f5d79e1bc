"""Proxies, certificate authorities and what an HTTP answer means: in this one place, for every sink that uses requests.

What the environment says comes first (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE,
SSL_CERT_FILE), then the user's own settings. No redirect is followed and no password of ~/.netrc is sent.
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

from make_metrics.sinks.sink import Network, Outcome, UnavailableError, Verdict

_RETRY_STATUS = frozenset({408, 425, 429, 460})
# About the messages. What else begins with a 4 is about the key, the address, or what is in between.
_REFUSED_STATUS = frozenset({400, 413, 422})
_HOUR_S = 3_600
_DAY_S = 86_400
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def authorities(network: Network, environ: Mapping[str, str]) -> str:
    """The file (or directory) of certificate authorities to trust, empty for the library's own.

    Raises UnavailableError if it is not there.
    """
    named = [(name, environ[name]) for name in _CA_VARIABLES if environ.get(name)]
    if network.ca_file:
        named.append(("ca-file", network.ca_file))
    for name, place in named[:1]:
        if not os.path.exists(place):  # noqa: PTH110
            raise UnavailableError(f"there is no file of certificates where {name} says: {place!a}")
        return place
    return ""


def proxies_for(network: Network, url: str) -> dict[str, str]:
    """The proxies for an address by scheme; empty to go there directly."""
    found: dict[str, str] = get_environ_proxies(url, no_proxy=None)
    if found or not network.proxy:
        return found
    if should_bypass_proxies(url, no_proxy=None) or should_bypass_proxies(url, no_proxy=network.no_proxy or None):
        return {}
    return {"http": network.proxy, "https": network.proxy}


class Session(requests.Session):
    """A session that goes where this machine's user lets it go, and nowhere else.

    Raises UnavailableError if the certificates that it should trust are not there.
    """

    def __init__(self, network: Network) -> None:
        """Open nothing yet."""
        super().__init__()
        self._network = network
        self._authorities = authorities(network, os.environ)
        self.trust_env = False  # no ~/.netrc; the rest is in `proxies_for` and `authorities`
        self.max_redirects = 0

    def merge_environment_settings(
        self, url: str | bytes | None, proxies: object, stream: bool | None, verify: object, cert: object
    ) -> dict[str, Any]:
        """What a request uses, whatever its caller asked for: a client's certificate is the user's, not a project's."""
        del proxies, verify, cert
        return {
            "proxies": proxies_for(self._network, str(url or "")),
            "stream": bool(stream),
            "verify": self._authorities or True,
            "cert": None,
        }


class Nowhere(BaseAdapter):
    """Takes a request and answers yes; nothing is opened."""

    def __init__(self) -> None:
        """Nothing was taken yet."""
        super().__init__()
        self.taken: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Take a request."""
        self.taken.append(request)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url or ""
        return answer

    def close(self) -> None:
        """Nothing was opened."""


def judged(status: int, retry_after: str, url: str) -> Verdict:
    """What the status of an answer means, but for those from 200 to 299. `retry_after` is that header, or empty."""
    said = f"the receiver answered {status}"
    if 300 <= status < 400:
        return Verdict(Outcome.HELD, f"{said}, a redirect: nothing was sent there", url)
    if status in _REFUSED_STATUS:
        return Verdict(Outcome.REFUSED, said, url)
    if status in _RETRY_STATUS or (status >= 500 and status not in (501, 505)):
        return Verdict(Outcome.LATER, said, url, after_s=_seconds(retry_after))
    return Verdict(Outcome.HELD, f"{said}: its key or address in the settings is wrong", url, after_s=_HOUR_S)


def _seconds(retry_after: str) -> int:
    """How long a receiver asks to be left alone, a day at most; 0 for what it cannot mean."""
    try:
        if retry_after.isdecimal():
            seconds = int(retry_after)
        else:
            seconds = int(parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(seconds, 0), _DAY_S)


def unanswered(error: Exception, timeout_s: float, url: str) -> Verdict:
    """What it means that there was no answer; raises the error if it is not one of the network's."""
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
