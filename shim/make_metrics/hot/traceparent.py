"""TRACEPARENT for a line: its target's span, as `deliver.trace` will name it (W3C Trace Context, section 3.2).

Only makes whose Makefile sets METRICS_TRACEPARENT have it. Their walk has left the trace and the person's id in the
marker, as `<trace>/<id>`; the id is empty if nothing was agreed to.
"""

import sys

NAME = b"TRACEPARENT"
_NAMESPACE = bytes.fromhex("6b1f1d5e52b55c549d0a3c1d0c1a7f10")  # of `combine.event.message_id`


def traceparent(trace_and_id: bytes, run: bytes, make: bytes, target: bytes) -> bytes:
    """The variable's value for a line of a target in a make process of a run."""
    # Not hashlib: it loads OpenSSL, which takes several milliseconds.
    try:
        from _sha1 import sha1

        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha1, sha256
    trace, _, anonymous_id = trace_and_id.partition(b"/")
    name = _without_dot(target).decode("utf-8", "backslashreplace").encode()
    digest = bytearray(sha1(_NAMESPACE + b"%b/%b/%b" % (run, make, name)).digest()[:16])  # noqa: S324
    digest[6] = digest[6] & 0x0F | 0x50  # a UUID of version 5: RFC 9562, section 5.5
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    message = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    span = sha256(b"span %b %b" % (anonymous_id, message.encode())).hexdigest()[:16]
    return b"00-%b-%b-01" % (trace, span.encode())


def _without_dot(name: bytes) -> bytes:
    """As `combine.parts.without_dot`."""
    while name.startswith(b"./") and len(name) > 2:
        name = name[2:].lstrip(b"/")
    return name
