"""Our data classes beside the library's: whatever is done with one gives what it gives with the other."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import make_metrics
from make_metrics import dataclass as ours
from tests.support.project import SOURCE

CLASSES = """
@dataclass(frozen=True, slots=True)
class Frozen:
    "A frozen one."
    number: int
    text: str = "none"
    several: list[int] = field(default_factory=list)
    hidden: int = field(default=3, repr=False)
    aside: int = field(default=4, compare=False)

    def double(self) -> int:
        return 2 * self.number

@dataclass(slots=True)
class Open:
    number: int
    texts: dict[str, Frozen] = field(default_factory=dict)
    length: int = field(init=False)

    def __post_init__(self):
        self.length = len(self.texts)

@dataclass(frozen=True, slots=True, kw_only=True)
class ByName:
    first: int
    second: tuple[int, ...] = ()
    third: int = field(default=7, init=False)

@dataclass(frozen=True, slots=True)
class Single:
    only: object = None

@dataclass(frozen=True, slots=True, kw_only=True)
class Below(ByName):
    fourth: str = "below"

@dataclass(frozen=True, slots=True)
class Own:
    number: int

    def __eq__(self, other):
        return isinstance(other, Own)

    def __repr__(self):
        return "own"

@dataclass(frozen=True, slots=True)
class Empty:
    pass
"""


def made_by(library: Any, name: str) -> dict[str, Any]:
    module = type(sys)(name)
    module.__dict__.update(dataclass=library.dataclass, field=library.field)
    sys.modules[name] = module  # pickle looks for classes there
    exec(CLASSES, module.__dict__)  # noqa: S102 - the text above
    return module.__dict__


# What is done with the classes `c`; the result is compared. A mistake is one as well.
DONE: dict[str, Callable[[Any, Any], Any]] = {
    "positions": lambda c, _: c["Frozen"](1, "a", [2], 5, 6),
    "keywords": lambda c, _: c["Frozen"](number=1, aside=6),
    "own-defaults": lambda c, _: c["Frozen"](1).several is c["Frozen"](1).several,
    "method": lambda c, _: c["Frozen"](4).double(),
    "document": lambda c, _: c["Frozen"].__doc__,
    "too-few": lambda c, _: c["Frozen"](),
    "too-many": lambda c, _: c["Frozen"](1, 2, 3, 4, 5, 6),
    "unknown": lambda c, _: c["Frozen"](1, nothing=2),
    "twice": lambda c, _: c["Frozen"](1, number=2),
    "position-of-keyword": lambda c, _: c["ByName"](1),
    "not-for-init": lambda c, _: c["ByName"](first=1, third=2),
    "made-by-post-init": lambda c, _: c["Open"](1, {"a": c["Frozen"](2)}),
    "by-name": lambda c, _: c["ByName"](first=1),
    "below": lambda c, _: c["Below"](first=1, fourth="x"),
    "below-needs": lambda c, _: c["Below"](fourth="x"),
    "own-repr": lambda c, _: repr(c["Own"](1)),
    "own-eq": lambda c, _: (c["Own"](1) == c["Own"](2), hash(c["Own"](1)) == hash(c["Own"](2))),
    "equal": lambda c, _: (c["Frozen"](1) == c["Frozen"](1), c["Frozen"](1) == c["Frozen"](2)),
    "equal-aside": lambda c, _: c["Frozen"](1, aside=1) == c["Frozen"](1, aside=2),
    "equal-others": lambda c, _: (c["Frozen"](1) == 1, c["Frozen"](1) == c["Single"](1), c["Empty"]() == c["Empty"]()),
    "equal-below": lambda c, _: c["ByName"](first=1) == c["Below"](first=1),
    "hash": lambda c, _: (hash(c["Single"](1)), hash(c["ByName"](first=1, second=(2,))), hash(c["Empty"]())),
    "no-hash-inside": lambda c, _: hash(c["Frozen"](1)),
    "no-hash": lambda c, _: hash(c["Open"](1)),
    "assign": lambda c, _: setattr(c["Frozen"](1), "number", 2),
    "assign-open": lambda c, _: setattr(c["Open"](1), "number", 2),
    "assign-open-unknown": lambda c, _: setattr(c["Open"](1), "unknown", 2),
    "delete": lambda c, _: delattr(c["Frozen"](1), "number"),
    "replace": lambda c, d: d.replace(c["Frozen"](1), text="b"),
    "replace-below": lambda c, d: d.replace(c["Below"](first=1), first=2),
    "replace-unknown": lambda c, d: d.replace(c["Frozen"](1), nothing=2),
    "asdict": lambda c, d: d.asdict(c["Open"](1, {"a": c["Frozen"](2, several=[3])})),
    "asdict-below": lambda c, d: d.asdict(c["Below"](first=1, second=(2, 3))),
    "astuple": lambda c, d: d.astuple(c["Single"]([c["Frozen"](2), (c["Single"](1),)])),
    "fields": lambda c, d: [(each.name, each.init, each.repr, each.kw_only) for each in d.fields(c["Below"])],
    "fields-of-object": lambda c, d: [each.name for each in d.fields(c["Frozen"](1))],
    "match": lambda c, _: [c[name].__match_args__ for name in ("Frozen", "ByName", "Below", "Open")],
    "copy": lambda c, _: [copy.copy(c["Frozen"](1, several=[2])), copy.deepcopy(c["Below"](first=1))],
    "pickle": lambda c, _: [through_pickle(each) for each in (c["Frozen"](1), c["Open"](2), c["Empty"]())],
    "no-dict": lambda c, _: [hasattr(c["Frozen"](1), "__dict__"), hasattr(c["Below"](first=1), "__dict__")],
    "slots": lambda c, _: [c["Frozen"].__slots__, c["Below"].__slots__],
    "signature": lambda c, _: [str(inspect.signature(c[name])) for name in ("Frozen", "ByName", "Below", "Empty")],
    "subclass": lambda c, _: type("Plain", (c["Frozen"],), {"more": 1})(1),
    "subclass-field": lambda c, _: setattr(type("Plain", (c["Frozen"],), {})(1), "number", 2),
}  # fmt: skip


def through_pickle(value: object) -> object:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


def outcome(action: Callable[[Any, Any], Any], classes: Any, library: Any) -> tuple[str, str]:
    try:
        return "gave", repr(action(classes, library))
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.mark.parametrize("name", DONE)
def test_a_class_of_ours_does_what_the_librarys_does(name: str) -> None:
    theirs = outcome(DONE[name], made_by(dataclasses, "made_by_theirs"), dataclasses)
    for functions in (ours, dataclasses):  # the library's functions take ours as well
        assert outcome(DONE[name], made_by(ours, "made_by_ours"), functions) == theirs


def test_the_table_has_mistakes_and_results() -> None:
    """The comparison says something: the library refuses some of these, and takes the others."""
    kinds = {outcome(action, made_by(dataclasses, "made_by_theirs"), dataclasses)[0] for action in DONE.values()}
    assert kinds == {"gave", "TypeError", "FrozenInstanceError", "AttributeError"}


def test_a_data_class_of_the_library_may_stand_below_one_of_ours() -> None:
    """So a sink of another package may extend what it is given."""
    base: Any = made_by(ours, "made_by_ours")["Single"]

    @dataclasses.dataclass(frozen=True)
    class Theirs(base):  # type: ignore[misc]
        more: str = "m"

    made: Any = Theirs(1)
    for functions in (ours, dataclasses):
        assert functions.asdict(made) == {"only": 1, "more": "m"}
        assert functions.replace(made, more="n").more == "n"
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.only = 2


def test_a_class_that_is_no_data_class_may_stand_below_a_frozen_one() -> None:
    """The library means this too; where a class has slots, some of its versions raise TypeError (Python 3.11)."""
    base: Any = made_by(ours, "made_by_ours")["Frozen"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        base(1).unknown = 2

    class Plain(base):  # type: ignore[misc]
        def __init__(self, own: int) -> None:
            super().__init__(own + 1)
            self.own = own

    plain: Any = Plain(1)
    assert (plain.number, plain.own, str(inspect.signature(Plain))) == (2, 1, "(own: 'int') -> 'None'")
    with pytest.raises(dataclasses.FrozenInstanceError):
        plain.number = 2
    del plain.own
    assert vars(plain) == {}


def test_only_classes_with_slots_are_made() -> None:
    with pytest.raises(TypeError, match="slots"):
        ours.dataclass(frozen=True, slots=False)


def our_classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(make_metrics.__path__, "make_metrics."):
        if (
            ".hot." in module.name
            or ".migrations." in module.name
            or module.name.endswith(("__main__", ".entry", ".worker"))
        ):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and "__quick_class__" in vars(value):
                yield value


def test_each_class_of_the_package_is_one_for_the_library() -> None:
    found = list(our_classes())
    assert len(found) > 80
    for cls in found:
        assert dataclasses.is_dataclass(cls)
        names = [each.name for each in dataclasses.fields(cls)]
        assert names == [each.name for each in ours.fields(cls)]
        assert set(inspect.signature(cls).parameters) <= set(names)


def test_a_command_loads_neither_the_library_nor_inspect() -> None:
    """Unless a command needs them: then this says that the module has lost its purpose."""
    code = (
        "import sys; import make_metrics.commands.status, make_metrics.commands.report; "
        "print(*sorted({'dataclasses', 'inspect'} & set(sys.modules)))"
    )
    words = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {code}"]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "\n"
