"""Ways to break a source file: each names a function, a constant or a variable, and fails if the file defines none.

A mutation takes a file's text and gives the broken text. It names what it breaks and copies no text of it, so that the
inside of a function can be rewritten and the mutation still does the same.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

Mutation = Callable[[str], str]


def mutate(path: Path, mutation: Mutation) -> None:
    """Break a file; raises LookupError if it does not define the name that the mutation is about."""
    text = path.read_text()
    try:
        broken = mutation(text)
    except LookupError as error:
        raise LookupError(f"{path}: {error.args[0]}") from error
    assert broken != text
    path.write_text(broken)


def mutate_one_of(folder: Path, pattern: str, mutation: Mutation) -> None:
    """Break the one file in a folder that defines the name; raises LookupError if none or more than one does."""
    broken = {}
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(LookupError):
            broken[path] = mutation(path.read_text())
    if len(broken) != 1:
        raise LookupError(f"{len(broken)} files in {folder} define it")
    ((path, text),) = broken.items()
    path.write_text(text)


# ---- Python ----


def _defined(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """The statements that define a function, a class or a constant, by name."""
    names: dict[str, ast.stmt] = {}
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = statement
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        names.update({target.id: statement for target in targets if isinstance(target, ast.Name)})
    return names


def _look_up(text: str, name: str) -> ast.stmt:
    """The definition of a name, or of a method by `Class.method`; raises LookupError if there is none."""
    outer, _, inner = name.rpartition(".")
    around: ast.AST = _look_up(text, outer) if outer else ast.parse(text)
    definition = _defined(around.body).get(inner) if isinstance(around, ast.Module | ast.ClassDef) else None
    if definition is None:
        raise LookupError(f"no {name} is defined")
    return definition


def function_begins(name: str, statements: str) -> Mutation:
    """A Python function, or a method by `Class.method`, that runs these statements before its own.

    They find the arguments in the tuple `words` and may change them, may return, and may call the function as it was:
    `original`.
    """

    def broken(text: str) -> str:
        if not isinstance(_look_up(text, name), ast.FunctionDef):
            raise LookupError(f"{name} is no function")
        new, old = (f"{word}_{name.replace('.', '_')}" for word in ("broken", "original"))
        return (
            f"{text}\n\n{old} = {name}\n\n\ndef {new}(*words, original={old}, **named):\n"
            f"{indent(statements, ' ' * 4)}\n    return original(*words, **named)\n\n\n{name} = {new}\n"
        )

    return broken


def constant_is(name: str, expression: str) -> Mutation:
    """A Python constant with another value: the expression's."""

    def broken(text: str) -> str:
        if not isinstance(_look_up(text, name), ast.Assign | ast.AnnAssign):
            raise LookupError(f"{name} is no constant")
        return f"{text}\n\n{name} = {expression}\n"

    return broken


def gone(name: str) -> Mutation:
    """A Python module that does not define a name that others use."""

    def broken(text: str) -> str:
        _look_up(text, name)
        return f"{text}\n\ndel {name}\n"

    return broken


def module_ends(statements: str) -> Mutation:
    """A Python module with these statements, or what is none, at its end."""
    return lambda text: f"{text}\n\n{statements}\n"


# ---- C ----


def _c_function(text: str, name: str) -> re.Match[str]:
    """A function's definition, as hot/in_c lays it out: it ends on its first line, or with a brace in column 1."""
    definition = rf"^(?P<type>\w[\w \*]*[ \*]){name}\((?P<parameters>[^()]*)\)\s*(?P<body>\{{(?:.*\}}$|(?:.*\n)*?\}}$))"
    found = re.findall(definition, text, re.MULTILINE)
    if len(found) != 1:
        raise LookupError(f"{name} is defined {len(found)} times")
    function = re.search(definition, text, re.MULTILINE)
    assert function is not None
    return function


def c_function_begins(name: str, statements: str) -> Mutation:
    """A C function that runs these statements before its own.

    They find the arguments in `a1`, `a2` and so on and may change them, may return, and may call the function as it
    was: `original`.
    """

    def broken(text: str) -> str:
        function = _c_function(text, name)
        kind, parameters = function["type"], function["parameters"].split(",")
        count = 0 if function["parameters"].strip() == "void" else len(parameters)
        renamed = [re.sub(r"\w+(\[\w*\])*\s*$", rf"a{at}\1", one) for at, one in enumerate(parameters[:count], 1)]
        words = ", ".join(f"a{at}" for at in range(1, count + 1))
        own = function[0].replace(f"{name}(", f"original_{name}(", 1)
        leaves = "" if re.search(r"\bvoid $", kind) else "return "
        new = (
            f"#define original original_{name}\n{kind}{name}({','.join(renamed) or 'void'})\n{{\n    {statements}\n"
            f"    {leaves}original({words});\n}}\n#undef original"
        )
        return f"{text[: function.start()]}{own}\n\n{new}{text[function.end() :]}"

    return broken


def c_call_is(name: str, call: str, other: str) -> Mutation:
    """A C function in whose body a call means another: for `malloc(size)`, say, `malloc(size - 1)`."""

    def broken(text: str) -> str:
        function = _c_function(text, name)
        callee = call.partition("(")[0]
        if not re.search(rf"\b{callee}\(", function["body"]):
            raise LookupError(f"{name} does not call {callee}")
        # The callee may be a macro already.
        before, after = f'#pragma push_macro("{callee}")\n#undef {callee}', f'#pragma pop_macro("{callee}")'
        defined = f"{before}\n#define {call} {other}\n{function[0]}\n{after}"
        return f"{text[: function.start()]}{defined}{text[function.end() :]}"

    return broken


# ---- make ----


def _assignment(variable: str) -> str:
    """A pattern for the assignments of a variable, of one line or continued by backslashes."""
    return rf"^{re.escape(variable)}[ \t]*[:?+]?=(?:.*\\\n)*.*\n"


def variable_unassigned(variable: str) -> Mutation:
    """A fragment without its only assignment of a make variable."""

    def broken(text: str) -> str:
        shorter, count = re.subn(_assignment(variable), "", text, flags=re.MULTILINE)
        if count != 1:
            raise LookupError(f"{variable} is assigned {count} times")
        return shorter

    return broken


def variable_is(variable: str, value: str) -> Mutation:
    """A fragment that at its end assigns another value to one of its variables."""

    def broken(text: str) -> str:
        if not re.search(_assignment(variable), text, re.MULTILINE):
            raise LookupError(f"{variable} is not assigned")
        return f"{text}{variable} = {value}\n"

    return broken
