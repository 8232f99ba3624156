from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tracemap.report.names import label, shortened, shown, spreadsheet_safe, visible

NAMES = st.text(st.characters(codec="utf-8"))


@given(NAMES)
def test_a_shown_name_is_one_bounded_line_without_unseen_marks(name: str) -> None:
    """Whatever a stranger named a service, it cannot reach beyond its own place on the page."""
    made = shown(name)

    assert len(made) <= 200
    assert not [sign for sign in made if unicodedata.category(sign) in ("Cc", "Zl", "Zp")]
    assert not set(made) & set("\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")


@given(NAMES)
def test_making_a_name_visible_twice_changes_nothing_more(name: str) -> None:
    """Names pass several hands, so escaping must not pile up."""
    assert visible(visible(name)) == visible(name)


def test_names_in_other_scripts_stay_readable() -> None:
    """Hebrew, Japanese and emoji are names, not attacks."""
    for name in ("שירות-תשלום", "決済サービス", "check 👩‍💻 out", "façade"):
        assert shown(name) == name


def test_two_long_names_keep_both_their_ends() -> None:
    """What tells generated names apart often stands at the end."""
    made = shortened("a" * 300 + "-eu-west-1", 60)

    assert len(made) == 60
    assert made.endswith("-eu-west-1")


def test_a_label_without_operation_is_the_service() -> None:
    """No dangling separator."""
    assert label("cart") == "cart"
    assert label("cart", "GET /cart") == "cart · GET /cart"


@given(st.text())
def test_no_cell_starts_a_formula(cell: str) -> None:
    """A spreadsheet must never run what a span was named."""
    assert not spreadsheet_safe(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
