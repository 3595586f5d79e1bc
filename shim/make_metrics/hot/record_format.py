"""The record's format: this module writes entries, and splits them into words; `combine.record` reads the words.

A record is text, one entry a line. An entry begins with a letter for its kind and ends with " ;". The end mark shows
that the entry is complete: an entry that was cut short (a killed writer, a full disk) lacks it, even where the cut only
shortened the last number.

    R <version> <run> <id> ;                              the first entry of every record file
    L <make> <target> <goal> <level> <wall> <start> <end> <status> <fate> [<cpu> <peak>] ;     one recipe line
    P <make> <target> <needs> ;                           what a target needs, if it is known, behind each of its lines
    M <name>=<value> ... ;                                one make process, written by the walk

``make`` and ``run`` are process keys (`hot.procfs`); ``id`` is unique to the record file. ``wall`` is the line's start
in nanoseconds since the epoch; ``start`` and ``end`` are nanoseconds since the boot, sleep included (`procfs.CLOCK`,
without the offset of a time namespace), which all processes of one boot share. Earlier versions left sleep out.
``status`` is 0 to 255, or the negative number of the signal that killed the line. ``fate`` is what happened
to make while the line ran: 0 nothing; the number of a signal that was sent to the line's process group or forwarded by
make; 9 (`ORPHAN`) if make was gone before the line ended. ``cpu`` is processor time in microseconds, user and system,
of the line's program and of all children that it waited for. ``peak`` is the largest resident set of any of them in
KiB, at least that of the shim when it started the program (wait4(2), getrusage(2)). Both are missing if unknown.

``needs`` is make's `$^`, `$|` and `$?`, with ";" between the three and a blank between names, encoded by the fragment.
"=" stands for a `$?` that is `$^`, and "." for a target that needs nothing. Other readers skip the entry.

A value of an M entry is a text, a number, 1 or 0 for yes or no, or a list of texts with "&" between them. Texts are
percent-encoded to printable ASCII without blanks; "-" stands for the empty text.
"""

VERSION = 1
END = b" ;"
ORPHAN = 9  # a fate: make was gone before the line ended
PLAIN_CHARACTERS = b"._/+,@:=-"  # not encoded, besides letters and digits
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + PLAIN_CHARACTERS)


def encode(text: bytes) -> bytes:
    """Text as one word of printable ASCII; empty text as "-"."""
    if not text or text == b"-":
        return b"%2D" if text else b"-"
    if _PLAIN.issuperset(text):
        return text
    return b"".join([b"%c" % byte if byte in _PLAIN else b"%%%02X" % byte for byte in text])


def decode(word: bytes) -> bytes:
    """The text of a word that `encode` or the fragment has written; the fragment encodes fewer characters.

    Raises ValueError for a "%" without two hexadecimal digits.
    """
    if word == b"-":
        return b""
    if b"%" not in word:
        return word
    first, *rest = word.split(b"%")
    return first + b"".join([bytes((int(part[:2], 16),)) + part[2:] for part in rest])


def preamble(run: bytes, record_id: bytes) -> bytes:
    """The first entry of a record file; `record_id` is unique to the file."""
    return b"R %d %b %b ;\n" % (VERSION, run, record_id)


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
    needs: bytes = b"",
) -> bytes:
    """The entry of one recipe line: the module's docstring gives meaning and units; `usage` is cpu and peak.

    With `needs`, encoded already, the entry of what the target needs follows.
    """
    name = encode(target)
    return b"L %b %b %b %d %d %d %d %d %d%b ;\n%b" % (
        make,
        name,
        encode(goal),
        level,
        wall,
        start,
        end,
        status,
        fate,
        b" %d %d" % usage if usage else b"",
        b"P %b %b %b ;\n" % (make, name, needs) if needs else b"",
    )


def make_entry(facts: dict[str, str | int | bool | tuple[str, ...]]) -> bytes:
    """The entry of one make process, from its facts by name."""
    entry = [b"M"]
    for name, value in facts.items():
        if isinstance(value, str):
            word = encode(value.encode("utf-8", "surrogateescape"))
        elif isinstance(value, tuple):
            word = b"&".join([encode(text.encode("utf-8", "surrogateescape")) for text in value])
        else:
            word = b"%d" % value
        entry.append(name.encode() + b"=" + word)
    return b" ".join(entry) + b" ;\n"


def split_entry(entry: bytes) -> list[bytes]:
    """The words of an entry, without its end mark; raises ValueError for an entry that was cut short."""
    if not entry.endswith(END):
        raise ValueError("entry was cut short")
    return entry[: -len(END)].split(b" ")
