from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.report.safe_json import dumps

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(VALUES)
def test_every_reader_gets_back_what_was_written(value: object) -> None:
    """Escapes are undone by any JSON reader."""
    assert json.loads(dumps(value)) == value


@given(st.text())
def test_no_text_can_leave_a_script_element(text: str) -> None:
    """Nor break a line where JavaScript would see one, nor turn the reading direction."""
    assert not set(dumps(text)) & set("<>&\u2028\u2029\u202e\ufeff")


def test_what_is_not_finite_is_refused() -> None:
    """NaN is not JSON."""
    with pytest.raises(ValueError, match="not JSON"):
        dumps(float("nan"))
