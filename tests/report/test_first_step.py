from __future__ import annotations

from typing import Any

import pytest

from tests.report import believable
from tests.report.small import findings, leaf, origin
from tracemap.model import Findings
from tracemap.report import build
from tracemap.report.blocks import plain

CART = origin(1, "cart", "self", 40, 0.9, operation="GET /cart", exemplars=["ab" * 16])


def made(one: dict[str, Any], **owners: str) -> Findings:
    found = findings([leaf(3, "self", 40), leaf(2, "gap", 5)], [one])
    found.owners = owners
    return found


def ask(found: Findings) -> str:
    return plain(build(found).view.ask)


def test_who_owns_the_origin_is_asked() -> None:
    """On the first screen, in the Markdown and in the chat."""
    report = build(made(CART, cart="team-cart", web="team-web"))

    assert plain(report.view.ask) == "team-cart (cart)"
    assert "Ask: `team-cart` (`cart`)" in report.markdown()
    assert "• Ask: `team-cart` (`cart`)" in report.text()
    assert "<dt>Ask</dt>" in report.html()


def test_of_an_origin_without_an_owner_its_neighbour_is_asked() -> None:
    """A database has no team of its own; who calls it knows whose it is."""
    assert ask(made(CART, web="team-web")) == "team-web (web); who owns cart is not known"


def test_of_an_edge_both_owners_are_asked_upstream_first() -> None:
    """Neither end is charged with what lies between."""
    wire = origin(1, "cart", "wire", 40, 0.9, edge_downstream="web", edge_upstream="cart")

    assert ask(made(wire, cart="team-cart", web="team-web")) == "team-cart (cart), team-web (web)"


@pytest.mark.parametrize(
    "one", [{**CART, "cause": "mix"}, {**CART, "confidence": "weak"}], ids=["mix", "lead"]
)
def test_nobody_is_asked_about_what_accuses_nobody(one: dict[str, Any]) -> None:
    """Another mix of requests, and a lead, wake nobody up."""
    assert ask(made(one, cart="team-cart")) == ""


def test_without_any_owner_nobody_is_named() -> None:
    """An unknown owner is no line of its own."""
    assert "<dt>Ask</dt>" not in build(made(CART)).html()


def test_the_trace_to_open_first_shows_the_origin() -> None:
    """A link where there is a tracing back end to open it in."""
    report = build(made(CART), trace_url="https://jaeger.example/trace/{trace_id}")

    assert report.view.first_trace == "ab" * 16
    assert f'href="https://jaeger.example/trace/{"ab" * 16}"' in report.html()
    assert f"Open first: [`{'ab' * 16}`](<https://jaeger.example" in report.markdown()


def test_a_quiet_time_has_no_first_step() -> None:
    """There is nobody to ask and nothing to open."""
    view = build(believable.quiet()).view

    assert (view.ask, view.first_trace) == ((), "")
