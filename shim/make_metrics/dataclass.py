"""Data classes as `dataclasses` makes them, for this package: equal in use, and made in a thirtieth of the time.

A command loads some fifty of them. The library writes and compiles up to eight functions for each as the class is made,
and itself loads `inspect`: a third of what `make-metrics status` took (docs/decisions/0036). Here all classes share
their functions, and `__init__` is compiled when the first object of a class is made. Whoever asks for
`__dataclass_fields__`, as all functions of the library do, gets what the library would have made.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_MISSING: Any = type("_MISSING", (), {"__repr__": lambda _: "MISSING"})()
_CLASS = "__quick_class__"


class Field:
    """What is known of a field; the meanings are those of `dataclasses.field`."""

    __slots__ = ("compare", "default", "default_factory", "init", "kw_only", "name", "repr")

    def __init__(
        self, *, default: Any = _MISSING, default_factory: Any = _MISSING, init: bool = True, repr: bool = True,  # noqa: A002
        compare: bool = True,
    ) -> None:  # fmt: skip
        """A field that no class has yet."""
        self.name, self.kw_only = "", False
        self.default, self.default_factory = default, default_factory
        self.init, self.repr, self.compare = init, repr, compare


def _dataclass(*, frozen: bool = False, slots: bool, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass`. `slots` must be true: so all of ours are made."""
    if not slots:
        raise TypeError("only data classes with slots are made here")
    return lambda cls: _made(cls, frozen, kw_only)


class _Class:
    """What is known of a data class."""

    __slots__ = ("fields", "frozen", "twin")

    def __init__(self, fields: tuple[Field, ...], frozen: bool) -> None:
        self.fields, self.frozen = fields, frozen
        self.twin: Any = None  # the same, made by the library


def _made(cls: type[T], frozen: bool, kw_only: bool) -> type[T]:
    known: dict[str, Field] = {}
    for base in cls.__mro__[:0:-1]:
        if _CLASS in base.__dict__:
            known.update({field.name: field for field in base.__dict__[_CLASS].fields})
    body = dict(cls.__dict__)
    own = []
    for name in cls.__annotations__:
        default = body.pop(name, _MISSING)
        field = default if isinstance(default, Field) else Field(default=default)
        field.name, field.kw_only = name, kw_only
        if name not in known:
            own.append(name)
        known[name] = field
    fields = tuple(known.values())
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    body |= {
        _CLASS: _Class(fields, frozen),
        "__slots__": tuple(own),
        "__match_args__": tuple([field.name for field in fields if field.init and not field.kw_only]),
        **_OF_THE_LIBRARY,
    }
    compared = _values_of([field.name for field in fields if field.compare])
    functions: dict[str, Any] = {
        "__init__": _first_init(),
        "__repr__": _repr,
        "__eq__": lambda self, other: (
            compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented
        ),
        "__hash__": None,
    }
    if frozen:
        functions |= _FROZEN
        if body.get("__hash__") is None:  # as Python sets it where a class has an __eq__ of its own
            body["__hash__"] = lambda self: hash(compared(self))
    for name, function in functions.items():
        body.setdefault(name, function)
    metaclass: Any = type(cls)
    new: type[T] = metaclass(cls.__name__, cls.__bases__, body)
    new.__qualname__ = cls.__qualname__
    return new


def _values_of(names: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """A function that gives the values of these attributes as a tuple."""
    if len(names) > 1:
        several: Callable[[object], tuple[Any, ...]] = attrgetter(*names)
        return several
    return lambda value: tuple([getattr(value, name) for name in names])


def _first_init() -> Callable[..., None]:
    """An `__init__` that compiles the class's own when it is first called, and is replaced by it."""

    def first_init(self: Any, *args: Any, **keywords: Any) -> None:
        _compile_init(_owner(type(self), first_init))(self, *args, **keywords)

    return first_init


def _owner(cls: type, init: object) -> Any:
    """The class among a class and its bases that has this `__init__`."""
    return next(each for each in cls.__mro__ if each.__dict__.get("__init__") is init)


def _compile_init(cls: Any) -> Callable[..., None]:
    """Give a class the `__init__` that the library would have made; return it."""
    known: _Class = cls.__dict__[_CLASS]
    scope: dict[str, Any] = {"_set": object.__setattr__, "_missing": _MISSING}
    arguments: list[str] = []
    by_keyword: list[str] = []
    lines = []
    for field in known.fields:
        name, value = field.name, field.name
        if field.default is not _MISSING:
            scope[f"_default_{name}"] = field.default
            argument = f"{name}=_default_{name}"
        elif field.default_factory is not _MISSING:
            scope[f"_factory_{name}"] = field.default_factory
            argument = f"{name}=_missing"
            value = f"_factory_{name}() if {name} is _missing else {name}"
        else:
            argument = name
        if field.init:
            (by_keyword if field.kw_only else arguments).append(argument)
        elif argument == name:
            continue  # __post_init__ gives it a value
        elif field.default is not _MISSING:
            value = f"_default_{name}"
        else:
            value = f"_factory_{name}()"
        lines.append(f"    _set(self, {name!r}, {value})" if known.frozen else f"    self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()")
    words = ", ".join(["self", *arguments, *(["*", *by_keyword] if by_keyword else [])])
    exec("\n".join([f"def __init__({words}):", *(lines or ["    pass"])]), scope)  # noqa: S102 - names of fields alone
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    cls.__init__ = init
    return init


def _repr(self: Any) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in _fields(self) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _assign(self: object, name: str, value: object) -> None:
    _refuse(self, name, "assign to")
    object.__setattr__(self, name, value)


def _delete(self: object, name: str) -> None:
    _refuse(self, name, "delete")
    object.__delattr__(self, name)


def _refuse(self: object, name: str, action: str) -> None:
    """Raise FrozenInstanceError for a field; a subclass that is no data class may have attributes of its own."""
    if _CLASS in type(self).__dict__ or name in [field.name for field in _fields(self)]:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot {action} field {name!r}")


def _state(self: object) -> list[Any]:
    return [getattr(self, field.name) for field in _fields(self)]


def _set_state(self: object, state: list[Any]) -> None:
    for field, value in zip(_fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


_FROZEN = {"__setattr__": _assign, "__delattr__": _delete, "__getstate__": _state, "__setstate__": _set_state}


class _FromTwin:
    """An attribute of the class that the library would have made, made when something asks for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _: object, cls: Any) -> Any:
        return getattr(_twin(cls), self._name)


class _Signature:
    """`__signature__`, which `inspect.signature` and `help` ask for."""

    def __get__(self, value: object, cls: Any) -> Any:
        if value is not None or not any(each.__dict__.get("__init__") is cls.__init__ for each in _quick(cls)):
            raise AttributeError("__signature__")  # an __init__ of its own tells it
        import inspect

        return inspect.signature(_twin(cls))


def _quick(cls: type) -> list[type]:
    """The data classes of ours among a class and its bases."""
    return [each for each in cls.__mro__ if _CLASS in each.__dict__]


def _twin(cls: type) -> type:
    """The class that the library would have made."""
    cls = _quick(cls)[0]
    known: _Class = cls.__dict__[_CLASS]
    if known.twin is None:
        import dataclasses
        import inspect

        types: dict[str, Any] = {}
        for base in cls.__mro__[::-1]:
            types |= inspect.get_annotations(base)
        specified = []
        for each in known.fields:
            keywords = {name: getattr(each, name) for name in Field.__slots__ if name != "name"}
            keywords = {name: value for name, value in keywords.items() if value is not _MISSING}
            specified.append((each.name, types[each.name], dataclasses.field(**keywords)))
        known.twin = dataclasses.make_dataclass(cls.__name__, specified, frozen=known.frozen, slots=True)
    twin: type = known.twin
    return twin


_OF_THE_LIBRARY = {
    **{name: _FromTwin(name) for name in ("__dataclass_fields__", "__dataclass_params__")},
    "__signature__": _Signature(),
}


def _replace(value: T, **changes: Any) -> T:
    for field in _fields(value):
        if field.init:
            changes.setdefault(field.name, getattr(value, field.name))
    return type(value)(**changes)


def _asdict(value: object) -> dict[str, Any]:
    return {field.name: _inside(getattr(value, field.name), _asdict) for field in _fields(value)}


def _astuple(value: object) -> tuple[Any, ...]:
    return tuple([_inside(getattr(value, field.name), _astuple) for field in _fields(value)])


def _inside(value: Any, taken_apart: Callable[[object], Any]) -> Any:
    if hasattr(type(value), "__dataclass_fields__"):
        return taken_apart(value)
    if isinstance(value, dict):
        return {key: _inside(each, taken_apart) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_inside(each, taken_apart) for each in value])
    return value


def _fields(value: Any) -> Any:
    """The fields of a data class or of an object of one; of one that the library has made, its own."""
    for cls in (value if isinstance(value, type) else type(value)).__mro__:
        if _CLASS in cls.__dict__:
            return cls.__dict__[_CLASS].fields
        if "__dataclass_fields__" in cls.__dict__:
            break
    import dataclasses

    return dataclasses.fields(value)


if TYPE_CHECKING:  # for the checker they are the library's
    from dataclasses import asdict as asdict
    from dataclasses import astuple as astuple
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import replace as replace
else:
    asdict, astuple, dataclass, field, fields, replace = _asdict, _astuple, _dataclass, Field, _fields, _replace
