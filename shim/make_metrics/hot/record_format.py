"""The record's format, both directions.

A record is text, one entry a line. An entry begins with a letter for its kind and ends with " ;", so that
an entry that was cut short (a killed writer, a full disk) is recognised even when its last number happens
to be a shorter number:

    R <version> <run> <id> ;                              first entry of every record file
    L <make> <target> <goal> <level> <wall> <start> <end> <status> <fate> [<cpu> <peak>] ;     one recipe line
    M <name>=<value> ... ;                                one make process, written by the walk

``make`` and ``run`` are process keys (see procid). ``wall`` is the start in nanoseconds since the epoch,
``start`` and ``end`` are nanoseconds of the monotonic clock, which every process of one boot shares.
``status`` is 0 to 255, or the negative number of the signal that ended the line. ``fate`` says what the shim
saw happen to make while the line ran: 0 nothing, a signal's number when it was sent to the line's process
group or handed on by make, 9 when make was gone before the line ended. ``cpu`` is the processor time in
microseconds, user's and system's, of the program that the shim started for the line and of all that it has waited
for; ``peak`` the most memory in KiB that any one of those held, though no less than the shim itself held when it
started it (wait4(2), getrusage(2)). The two are missing where that cannot be told.

The values of an M entry are texts, numbers, 1 or 0 for yes or no, and lists of texts with "&" between them.
Text is percent-encoded to printable ASCII without blanks; "-" stands for the empty text.
"""

VERSION = 1
END = b" ;"
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+,@:=-")


def encode(text: bytes) -> bytes:
    """Text as one word of printable ASCII; empty text as "-"."""
    if not text or text == b"-":
        return b"%2D" if text else b"-"
    if _PLAIN.issuperset(text):
        return text
    return b"".join([b"%c" % byte if byte in _PLAIN else b"%%%02X" % byte for byte in text])


def decode(word: bytes) -> bytes:
    """The text of a word made by `encode`, or by the fragment, which encodes fewer characters.

    Raises ValueError for a "%" that two hexadecimal digits do not follow.
    """
    if word == b"-":
        return b""
    if b"%" not in word:
        return word
    first, *rest = word.split(b"%")
    return first + b"".join([bytes((int(part[:2], 16),)) + part[2:] for part in rest])


def preamble(run: bytes, identity: bytes) -> bytes:
    """The entry that opens a record file; the identity is this file's own and never used again."""
    return b"R %d %b %b ;\n" % (VERSION, run, identity)


def line_entry(
    make: bytes,
    target: bytes,
    goal: bytes,
    level: int,
    wall: int,
    start: int,
    end: int,
    status: int,
    fate: int,
    usage: tuple[int, int] | None = None,
) -> bytes:
    """The entry of one recipe line; see the module for the meaning and units of each field; `usage` is cpu and peak."""
    return b"L %b %b %b %d %d %d %d %d %d%b ;\n" % (
        make,
        encode(target),
        encode(goal),
        level,
        wall,
        start,
        end,
        status,
        fate,
        b" %d %d" % usage if usage else b"",
    )


def make_entry(facts: dict[str, str | int | bool | tuple[str, ...]]) -> bytes:
    """The entry of one make process, from its facts by name."""
    words = [b"M"]
    for name, value in facts.items():
        if isinstance(value, str):
            word = encode(value.encode("utf-8", "surrogateescape"))
        elif isinstance(value, tuple):
            word = b"&".join([encode(one.encode("utf-8", "surrogateescape")) for one in value])
        else:
            word = b"%d" % value
        words.append(name.encode() + b"=" + word)
    return b" ".join(words) + b" ;\n"


def split_entry(entry: bytes) -> list[bytes]:
    """The words of an entry, without its end mark.

    Raises ValueError for an entry that was cut short.
    """
    if not entry.endswith(END):
        raise ValueError("entry was cut short")
    return entry[: -len(END)].split(b" ")
