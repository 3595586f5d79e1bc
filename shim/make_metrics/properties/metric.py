"""The base class of metrics: what a subclass declares, and how defining it registers it.

A metric is one property of the event. Nothing that is wrong with one costs another: a subclass that is declared badly,
or under a name that is taken, is noted in `REFUSED` and left out; the module that defines it goes on.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from make_metrics.properties import always
from make_metrics.properties.property import LONGEST, Property, Value, fault

REGISTERED: dict[str, type[Metric]] = {}
REFUSED: dict[str, str] = {}  # why, by the class's full name


class Metric:
    """One property of the event, told of each run (of each make process in it) or of each target.

    A subclass sets these, and implements `value`. One that does not set `identifier` is a base for others.

    - `identifier`: the property's name, small letters, digits and _.
    - `kind`: "string", "integer" or "boolean".
    - `values`: in words, what the values are; `choices` or `pattern` for a string, `least` and `most` for an integer
      say it exactly. A value outside of that is dropped, and never sent.
    - `purpose`: what it is good for, as the notice tells the person who is asked; `example`: a value.
    - `scope`: "run" or "target".
    """

    identifier: ClassVar[str]
    kind: ClassVar[Literal["string", "integer", "boolean"]]
    values: ClassVar[str]
    purpose: ClassVar[str]
    example: ClassVar[Value]
    scope: ClassVar[Literal["run", "target"]]
    choices: ClassVar[tuple[str, ...]] = ()
    pattern: ClassVar[str] = ""
    least: ClassVar[int] = 0
    most: ClassVar[int] = 0
    sources: ClassVar[tuple[str, ...]] = ()  # other files that make it, besides the subclass's own

    def value(self, measured: Any) -> Value | None:
        """The value for a `metrics.RunFacts` or `TargetFacts`, as `scope` says; None if it is not known.

        May take one second, and raise anything: that costs this metric's value and nothing else.
        """
        raise NotImplementedError

    @classmethod
    def declaration(cls) -> Property:
        """What the subclass declares, for the notice, the schema and the check of what is sent."""
        return Property(
            name=cls.identifier,
            kind=cls.kind,
            values=cls.values,
            purpose=cls.purpose,
            example=cls.example,
            sources=(f"{cls.__module__.replace('.', '/')}.py", *cls.sources),
            always=False,
            scope=cls.scope,
            choices=cls.choices,
            pattern=cls.pattern,
            least=cls.least,
            most=cls.most,
        )

    def __init_subclass__(cls, **given: Any) -> None:
        """Register a subclass that has an identifier, or note why it is refused."""
        super().__init_subclass__(**given)
        if "identifier" in cls.__dict__:
            reason = _refusal(cls)
            if reason:
                REFUSED[f"{cls.__module__}.{cls.__qualname__}"] = reason
            else:
                REGISTERED[cls.identifier] = cls


def _refusal(cls: type[Metric]) -> str:
    missing = [name for name in ("kind", "values", "purpose", "example", "scope") if not hasattr(cls, name)]
    if missing:
        return f"{', '.join(missing)} missing"
    if cls.value is Metric.value:
        return "value is not implemented"
    if wrong := fault(cls.declaration()):
        return wrong
    if cls.identifier in always.NAMES or cls.identifier in REGISTERED:
        return f"{cls.identifier} is taken by another property"
    if cls.kind == "string" and len(str(cls.example)) > LONGEST:
        return f"example must have at most {LONGEST} characters"
    return ""
