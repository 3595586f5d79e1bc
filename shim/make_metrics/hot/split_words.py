"""Splits simple lines into words: the lines that make itself runs without a shell.

With the default shell and flags GNU make executes a line directly if nothing in the line needs a shell (GNU make
manual, section 5.3; the details are from experiments). The shim does the same, because the difference shows: in the
message for a missing program, and in `echo`, which is then a program and not the shell's builtin.
"""

SPECIAL_CHARACTERS = frozenset(b'#;"*?[]&|<>(){}$`^~!')
# A line that begins with one of these is no simple line. Each make knows its own: those of 3.81, and those added since.
SHELL_BUILTINS = frozenset(
    b". : break case cd continue eval exec exit export for if login logout read readonly set shift switch test times "
    b"trap umask wait while".split()
)
BUILTINS_OF_3_82 = frozenset(b"ulimit unset".split())
BUILTINS_OF_4_3 = frozenset(b"alias bg command fc fg getopts hash jobs return type unalias".split())


def builtins(version: tuple[int, int]) -> frozenset[bytes]:
    """The shell builtins that a make knows, by its version, as in `(4, 3)`."""
    known = SHELL_BUILTINS if version < (3, 82) else SHELL_BUILTINS | BUILTINS_OF_3_82
    return known if version < (4, 3) else known | BUILTINS_OF_4_3


def split(line: bytes, version: tuple[int, int], *, newline_is_text: bool = False) -> list[bytes] | None:
    """The words of a line that is simple for a make of this version; None for a line that needs a shell.

    A newline inside a line comes from `.ONESHELL` or from a `$(shell)` of several lines. In a `$(shell)` make takes it
    as text: then set `newline_is_text`.
    """
    words: list[bytes] = []
    word = bytearray()
    begun = False  # whether a word has begun; an empty pair of quotes begins one
    at, end = 0, len(line)
    while at < end:
        byte = line[at]
        at += 1
        if byte in b" \t":
            if begun:
                if not words and bytes(word) in builtins(version):
                    return None
                words.append(bytes(word))
                word.clear()
                begun = False
            continue
        if byte in SPECIAL_CHARACTERS or (byte == 0x3D and not words) or (byte == 0x0A and not newline_is_text):
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
                while not begun and at < end and line[at] in b" \t":
                    at += 1
            else:
                word.append(line[at])
                at, begun = at + 1, True
        else:
            word.append(byte)
            begun = True
    if begun:
        words.append(bytes(word))
    if not words or (len(words) == 1 and words[0] in builtins(version)):
        return None
    return words
