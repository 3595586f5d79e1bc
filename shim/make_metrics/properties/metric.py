"""The base class of metrics: what a subclass declares. Defining a subclass registers it.

A metric is one property of the event. A mistake in one metric does not affect any other: a subclass with a bad
declaration, or with a name that is taken, goes into `REFUSED` and raises nothing.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from make_metrics.properties import always
from make_metrics.properties.property import LONGEST, Property, Value, fault

REGISTERED: dict[str, type[Metric]] = {}
REFUSED: dict[str, str] = {}  # the reason, by the class's full name


class Metric:
    """One property of the event. A subclass sets these attributes and implements `value`.

    A subclass without `identifier` is a base for other metrics, and is not registered.

    - `identifier`: the property's name, of small letters, digits and _.
    - `kind`: the type of its values: "string", "integer" or "boolean".
    - `values`: its values in words, for the notice.
    - `choices` or `pattern` (string), `least` and `most` (integer): its values exactly. Any other value is dropped, and
      never sent.
    - `purpose`: what the property is used for. The notice tells it to the person who is asked.
    - `example`: one of its values.
    - `scope`: "run" for one value for each make process, "target" for one value for each target.
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
    sources: ClassVar[tuple[str, ...]] = ()  # further files that compute it

    def value(self, measured: Any) -> Value | None:
        """The value; None if it is not known. `measured` is a `RunFacts` or a `TargetFacts`, depending on `scope`.

        A metric that raises anything, or takes more than one second, has no value. Nothing else is affected.
        """
        raise NotImplementedError

    @classmethod
    def declaration(cls) -> Property:
        """The subclass's declaration, for the notice, the schema and the check of messages."""
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

    def __init_subclass__(cls, **options: Any) -> None:
        """Put a subclass that has an identifier into `REGISTERED` or `REFUSED`."""
        super().__init_subclass__(**options)
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
    if problem := fault(cls.declaration()):
        return problem
    if cls.identifier in always.NAMES or cls.identifier in REGISTERED:
        return f"{cls.identifier} is taken by another property"
    if cls.kind == "string" and len(str(cls.example)) > LONGEST:
        return f"example must have at most {LONGEST} characters"
    return ""
