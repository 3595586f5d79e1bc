"""A property's declaration and its JSON Schema."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from make_metrics.properties.property import Property
from make_metrics.properties.registry import OPTIONAL, PROPERTIES

TEXTS = [declaration for declaration in (*PROPERTIES, *OPTIONAL) if declaration.kind == "string"]


@given(st.sampled_from(TEXTS), st.data())
def test_the_schema_allows_the_same_texts_as_the_declaration(declaration: Property, data: st.DataObject) -> None:
    likely = (
        st.sampled_from(declaration.choices)
        if declaration.choices
        else st.from_regex(declaration.pattern, fullmatch=True)
    )
    text = data.draw(st.text(max_size=20) | likely)
    valid = Draft202012Validator(declaration.schema()).is_valid(text)
    assert valid or not declaration.allows(text)
    if declaration.name not in ("command", "is_test"):  # the schema allows more characters beyond ASCII
        assert declaration.allows(text.removesuffix("\n")) or not valid
