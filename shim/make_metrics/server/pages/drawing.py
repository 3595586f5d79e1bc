"""Answers to a browser: templates, headers that let nothing else run or load, and the files that pages use."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from make_metrics.printable import printable
from make_metrics.report import run
from make_metrics.server.pages.sections import SHOWN_ROWS, cell

_HERE = Path(__file__).parent
_TYPES = {
    "icon.svg": "image/svg+xml",
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "timeline.css": "text/css; charset=utf-8",
    "timeline.js": "text/javascript; charset=utf-8",
}
# The timeline of one run is that of `make-metrics timeline`.
_FOLDERS = (_HERE / "static", Path(run.__file__).parent)
_STATIC = {
    name: next(folder / name for folder in _FOLDERS if (folder / name).is_file()).read_bytes() for name in _TYPES
}
_VERSION = hashlib.sha256(b"".join(_STATIC.values())).hexdigest()[:12]
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _finalize(value: Any) -> Any:
    # No character of a name may control the page, as those that turn the direction of writing do.
    return printable(value) if type(value) is str else value


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_finalize,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals |= {"cell": cell, "static": f"/static/{_VERSION}", "most_rows": SHOWN_ROWS}


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page made of a template."""
    text = _ENVIRONMENT.get_template(template).render(values)
    return HTMLResponse(text, status, HEADERS)


def static_file(version: str, name: str) -> Response:
    """A file that pages use. Its address has its version in it, so that a browser may keep it for ever."""
    if name not in _STATIC or version != _VERSION:
        return page("message.html", 404, title="Not found", text="There is no such page.")
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_STATIC[name], 200, {**HEADERS, **kept}, media_type=_TYPES[name])
