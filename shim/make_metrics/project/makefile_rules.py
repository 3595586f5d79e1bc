"""The names that the text of makefiles spells: targets, patterns and included files. Pure, and no make is run.

Only text counts. What make would have to compute (the goals on its command line, the environment, a shell) stays open:
`deploy-$(USER)` spells `deploy-%`. A variable counts as all that the makefiles ever assign to it. A line that this
module does not understand spells nothing.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from make_metrics.dataclass import dataclass, field

OPEN = "\0"  # stands for what the text leaves open
_MOST_WORDS = 10_000
_MOST_FORMS = 100
_DEEPEST = 8
_LONGEST = 4_096
_DIRECTIVE = re.compile(
    r"(?:ifn?eq|ifn?def|else|endif|endef|vpath|-?load|undefine|unexport|export|override|private)(?=[\s(]|$)"
)
_DEFINE = re.compile(r"(?:(?:export|override|private)\s+)*define(?:\s|$)")
_INCLUDE = re.compile(r"(?:-|s)?include\s+(.*)")
_MODIFIER = re.compile(r"(?:(?:export|override|private)\s+)+")
_NAME = re.compile(r"[^\s:=#(){},$]+")
_SPECIAL = re.compile(r"\.[A-Z_]+")
_SUFFIX_RULE = re.compile(r"\.[\w+-]+(\.[\w+-]+)")
_ESCAPED = re.compile(r"\\([:#%\\ ])")


@dataclass(slots=True)
class Rules:
    """What makefiles spell, with references unexpanded.

    `heads` are the words before the colon of each rule, and the prerequisites of .PHONY; of `template_heads` only
    patterns count. `values` are those of each variable, `includes` the words behind each `include`.
    """

    heads: list[str] = field(default_factory=list)
    template_heads: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add what one makefile spells."""
        prefix, depth = "\t", 0
        for line in _lines(text.replace(OPEN, "")):
            if line.startswith(("\t", prefix)):
                continue
            bare = _without_comment(line).strip()
            if depth:
                depth += bool(_DEFINE.match(bare)) - bool(re.match(r"endef\b", bare))
                self._add_template(bare)
            elif _DEFINE.match(bare):
                depth = 1
            elif included := _INCLUDE.match(bare):
                self.includes.append(included[1])
            elif assigned := _assignment(bare):
                name, operator, value = assigned
                if name == ".RECIPEPREFIX":
                    prefix = value[:1] or "\t"
                self.values.setdefault(name, []).append(OPEN if operator == "!=" else value)
            elif bare and not _DIRECTIVE.match(bare):
                self._add_rule(bare)

    def _add_rule(self, line: str) -> None:
        head, colon, rest = _partition(line, ":")
        if not colon:
            return
        rest = _partition(rest.lstrip(":"), ";")[0]
        if head.strip() == ".PHONY":
            self.heads.append(rest)
            return
        self.heads.append(head.removesuffix("&"))
        pattern, colon, _ = _partition(rest, ":")
        if colon and not _partition(pattern, "=")[1]:  # a static pattern rule
            self.template_heads.append(pattern)

    def _add_template(self, line: str) -> None:
        """Add the head of a rule in the text of a variable. Other texts have colons too: only its patterns count."""
        head, colon, _ = _partition(line, ":")
        if colon and not _partition(head, "=")[1]:
            self.template_heads.append(head)

    def names(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """The targets and the patterns that are spelled, patterns in the order of the text."""
        targets: dict[str, None] = {}
        patterns: dict[str, None] = {}
        for heads, only_patterns in ((self.heads, False), (self.template_heads, True)):
            for word in itertools.islice(self._words(heads), _MOST_WORDS):
                name, is_pattern = _spelled(word)
                if name and is_pattern:
                    patterns[name] = None
                elif name and not only_patterns:
                    targets[name] = None
        return frozenset(targets), tuple(patterns)

    def included(self, directory: str) -> list[str]:
        """The names of included files, perhaps with wildcards, and with `OPEN` for what the text leaves open.

        `directory` is the one that make works in.
        """
        values = {"CURDIR": [directory], **self.values}
        words = (word for text in self.includes for part in _split(text) for word in _expand_word(part, values, 0))
        return [_ESCAPED.sub(r"\1", word) for word in itertools.islice(words, _MOST_WORDS)]

    def _words(self, heads: Iterable[str]) -> Iterator[str]:
        for head in dict.fromkeys(heads):
            for word in _split(head):
                yield from _expand_word(word, self.values, 0)


def _lines(text: str) -> Iterator[str]:
    """The logical lines: a backslash joins a line with the next one."""
    joined = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if (len(line) - len(line.rstrip("\\"))) % 2:
            joined += line[:-1] + " "
            continue
        yield joined + line
        joined = ""
    yield joined


def _without_comment(line: str) -> str:
    comment = re.search(r"(?<!\\)#", line)
    return line[: comment.start()] if comment else line


def _partition(text: str, sign: str) -> tuple[str, str, str]:
    """Like str.partition, at the first such sign outside of references and without a backslash before it."""
    depth = 0
    for at, char in enumerate(text if sign in text else ""):
        if char in "({":
            depth += bool(depth) or text[at - 1 : at] == "$"
        elif char in ")}" and depth:
            depth -= 1
        elif char == sign and not depth and text[at - 1 : at] != "\\":
            return text[:at], sign, text[at + 1 :]
    return text, "", ""


def _assignment(line: str) -> tuple[str, str, str] | None:
    """The name, operator and value of an assignment; None for any other line."""
    line = _MODIFIER.sub("", line, count=1) if _MODIFIER.match(line) else line
    before, equals, value = _partition(line, "=")
    if not equals:
        return None
    name = before.rstrip(":+?!")
    operator = before[len(name) :] + "="
    if ":" in _without_references(name) or operator not in ("=", ":=", "::=", ":::=", "+=", "?=", "!="):
        return None
    return name.strip(), operator, value.strip()


def _without_references(text: str) -> str:
    return re.sub(r"\$\([^()]*\)|\$\{[^{}]*\}", "", text)


def _split(text: str) -> list[str]:
    """The words of a text; blanks inside of references do not count, nor do those with a backslash before them."""
    words, word, depth = [], "", 0
    for at, char in enumerate(text[: _LONGEST * 16]):
        if char in "({":
            depth += bool(depth) or text[at - 1 : at] == "$"
        elif char in ")}" and depth:
            depth -= 1
        if char.isspace() and not depth and text[at - 1 : at] != "\\":
            words.append(word)
            word = ""
        else:
            word += char
    return [each for each in (*words, word) if each]


def _references(word: str) -> list[tuple[bool, str]]:
    """A word in parts: whether it is a reference, and the text or what stands between the reference's parentheses."""
    parts: list[tuple[bool, str]] = []
    at = 0
    while at < len(word):
        dollar = word.find("$", at)
        if dollar < 0:
            parts.append((False, word[at:]))
            break
        parts.append((False, word[at:dollar]))
        sign = word[dollar + 1 : dollar + 2]
        if sign and sign in "({":
            end = _closing(word, dollar + 1)
            parts.append((True, word[dollar + 2 : end]))
            at = end + 1
        else:
            parts.append((sign != "$", sign))
            at = dollar + 2
    return [part for part in parts if part[0] or part[1]]


def _closing(word: str, start: int) -> int:
    """The position of the sign that closes the one at `start`; the end of the word if there is none."""
    opening = word[start]
    closing, depth = {"(": ")", "{": "}"}[opening], 0
    for at in range(start, len(word)):
        depth += (word[at] == opening) - (word[at] == closing)
        if not depth:
            return at
    return len(word)


def _expand_word(word: str, values: dict[str, list[str]], depth: int) -> list[str]:
    """The words that a word stands for, each with `OPEN` for what the text leaves open."""
    if "$" not in word:
        return [word]
    if depth > _DEEPEST or len(word) > _LONGEST:
        return [OPEN]
    forms = [_expand_reference(text, values, depth) if is_reference else [text]
             for is_reference, text in _references(word)]  # fmt: skip
    count = 1
    for each in forms:
        count *= max(len(each), 1)
    if len(forms) > 1 and count > _MOST_FORMS:
        return [OPEN]
    return ["".join(parts) for parts in itertools.product(*(each or [""] for each in forms))][:_MOST_WORDS]


def _expand_reference(text: str, values: dict[str, list[str]], depth: int) -> list[str]:
    function, blank, arguments = text.partition(" ")
    if blank and function in ("strip", "sort", "wildcard", "addprefix", "addsuffix"):
        prefix, suffix = "", ""
        if function.startswith("add"):
            added, comma, arguments = _partition(arguments, ",")
            if not comma or "$" in added:
                return [OPEN]
            prefix, suffix = (added, "") if function == "addprefix" else ("", added)
        words = (each for part in _split(arguments) for each in _expand_word(part, values, depth + 1))
        return [f"{prefix}{each}{suffix}" for each in itertools.islice(words, _MOST_WORDS)]
    if not _NAME.fullmatch(text) or text not in values:
        return [OPEN]
    expanded: dict[str, None] = {}
    for value in values[text]:
        for part in _split(value):
            expanded |= dict.fromkeys(_expand_word(part, values, depth + 1))
            if len(expanded) > _MOST_WORDS:
                return [OPEN]
    return list(expanded)


def _spelled(word: str) -> tuple[str, bool]:
    """The target or pattern that a word of a rule's head spells, and whether it is a pattern; empty for neither."""
    if re.search(r"[*?\[\]()$~]|\\%", word) or len(word) > _LONGEST:
        return "", False
    name = _ESCAPED.sub(r"\1", word)
    while name.startswith("./") and len(name) > 2:
        name = name[2:].lstrip("/")
    if OPEN in name:
        name = f"{name[: name.index(OPEN)]}%{name[name.rindex(OPEN) + 1 :]}"
    elif suffix_rule := _SUFFIX_RULE.fullmatch(name):
        name = f"%{suffix_rule[1]}"
    elif _SPECIAL.fullmatch(name):
        return "", False
    if "%" not in name:
        return name, False
    # A pattern that matches anything spells nothing.
    return (name, True) if any(char.isalnum() for char in name) else ("", False)


def matching(patterns: Iterable[str], target: str) -> str:
    """The pattern that make would choose for a target, the one with the shortest stem; empty if none matches.

    A pattern without "/" is compared with what follows a target's last "/" too (GNU make manual, section 10.5.4).
    """
    best, shortest = "", len(target) + 1
    for pattern in patterns:
        prefix, _, suffix = pattern.partition("%")
        for name in (target, target.rpartition("/")[2] if "/" not in pattern else target):
            stem = len(name) - len(prefix) - len(suffix)
            if stem > 0 and stem < shortest and name.startswith(prefix) and name.endswith(suffix):
                best, shortest = pattern, stem
    return best
