"""Lines that make runs without a shell: which they are, and the words they are split into.

With the default shell and flags GNU make starts a line's program itself when the line holds nothing that only a shell
could treat (GNU make manual, section 5.3; the rule's details were found by experiment). Doing the same keeps what
shows: the words of the message for a missing program, and `echo` being a program rather than a shell's own.
"""

_SPECIAL = frozenset(b'#;"*?[]&|<>(){}$`^~!')
_BUILTIN = frozenset(
    b". : alias bg break case cd command continue eval exec exit export fc fg for getopts hash if jobs login logout "
    b"read readonly return set shift switch test times trap type ulimit umask unalias unset wait while".split()
)
_BLANK = b" \t"


def split(line: bytes, *, newline_is_text: bool = False) -> list[bytes] | None:
    """The words of a line that needs no shell, None for one that does.

    A newline inside a line only comes from `.ONESHELL` or a `$(shell)` of several lines; in the latter make takes it
    as text (`newline_is_text`).
    """
    found: list[bytes] = []
    word = bytearray()
    begun = False  # a word has begun, be it with an empty pair of quotes
    at, end = 0, len(line)
    while at < end:
        byte = line[at]
        at += 1
        if byte in b" \t":
            if begun:
                if not found and bytes(word) in _BUILTIN:
                    return None
                found.append(bytes(word))
                word.clear()
                begun = False
            continue
        if byte in _SPECIAL or (byte == 0x3D and not found) or (byte == 0x0A and not newline_is_text):
            return None
        if byte == 0x27:  # a single quote
            close = line.find(b"'", at)
            if close < 0:
                return None
            word += line[at:close]
            at, begun = close + 1, True
        elif byte == 0x5C:  # a backslash
            if at == end:
                break
            if line[at] == 0x0A:
                at += 1
                while not begun and at < end and line[at] in _BLANK:
                    at += 1
            else:
                word.append(line[at])
                at, begun = at + 1, True
        else:
            word.append(byte)
            begun = True
    if begun:
        found.append(bytes(word))
    if not found or (len(found) == 1 and found[0] in _BUILTIN):
        return None
    return found
