"""What a catalog declares against what was observed, and what neither proves."""

from __future__ import annotations

from typing import Any

import polars as pl

from tests.analyze.weeks import Calls, facts
from tracemap import analyze
from tracemap.model import DECLARATIONS, UNKNOWN_CALLER, USER

Said = tuple[str, str, str, bool]
EDGES = facts(
    [
        Calls("cart", "pricing"),
        Calls("cart", "ads"),
        Calls("web", "cart"),
        Calls(USER, "web"),
        Calls(UNKNOWN_CALLER, "cart"),
    ]
)["edge_facts"]


def found(*said: Said, names: dict[str, str] | None = None) -> dict[tuple[str, str], Any]:
    schema = {"downstream": pl.String, "upstream": pl.String, "says": pl.String,
              "is_known": pl.Boolean}  # fmt: skip
    declared = pl.DataFrame(said, schema=schema, orient="row")
    rows = analyze.declarations(EDGES, declared, names or {}, {"cart": "team-web"})
    assert rows.schema == DECLARATIONS.schema
    return {(row["downstream"], row["upstream"]): row for row in rows.to_dicts()}


def test_what_is_declared_and_called_is_as_declared() -> None:
    """With its calls and the last of them."""
    row = found(("cart", "pricing", "dependsOn", True))["cart", "pricing"]

    assert (row["status"], row["calls"], row["owner"]) == ("as declared", 7_000, "team-web")
    assert row["last_ns"] == EDGES["last_ns"].max()


def test_what_was_not_observed_says_what_of_it_was_seen() -> None:
    """Not observed is not gone."""
    rows = found(
        ("cart", "web", "dependsOn", True),
        ("cart", "printer", "dependsOn", True),
        ("billing", "cart", "dependsOn", True),
    )
    reasons = {pair: row["reason"] for pair, row in rows.items() if row["status"] == "not observed"}

    assert reasons == {
        ("cart", "web"): "both were seen, no call between them",
        ("cart", "printer"): "upstream was not seen at all",
        ("billing", "cart"): "downstream recorded no calls at all",
    }


def test_only_who_declares_anything_can_leave_something_out() -> None:
    """`web` declares nothing, so the catalog says nothing of its calls; users declare nothing."""
    rows = found(("cart", "pricing", "dependsOn", True))

    assert {pair: row["status"] for pair, row in rows.items()} == {
        ("cart", "pricing"): "as declared",
        ("cart", "ads"): "not declared",
    }


def test_an_api_that_nobody_provides_is_no_missing_call() -> None:
    """Whom to look for is not known."""
    row = found(("cart", "taxes-api", "consumesApis taxes-api", False))["cart", "taxes-api"]

    assert (row["status"], row["reason"]) == ("provider unknown", "")


def test_what_is_declared_twice_is_one_dependency() -> None:
    """All that says so is kept."""
    rows = found(
        ("cart", "pricing", "dependsOn", True), ("cart", "pricing", "consumesApis prices", True)
    )

    assert rows["cart", "pricing"]["says"] == "consumesApis prices, dependsOn"


def test_services_are_compared_by_the_names_that_they_share() -> None:
    """The graph has a node for each environment, the catalog one service."""
    named = {"cart": "basket", "web": "front"}
    rows = found(("front", "basket", "dependsOn", True), names=named)

    assert rows["front", "basket"]["status"] == "as declared"


def test_without_declarations_there_is_nothing_to_compare() -> None:
    """A list of owners declares nothing."""
    assert found() == {}
