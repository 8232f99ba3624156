"""Sidecars and meshes: shown as nodes, or left out of the graph."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.builders import Row
from tests.derive.traces import HOURLY, MS, at, bucket, edges, facts_of, reasons
from tracemap import derive
from tracemap.derive.recorders import MARKS
from tracemap.model import Cells

ENVOY = json.dumps({"telemetry.sdk.name": "envoy"})
COLLAPSED = Cells(latency_ns=HOURLY.latency_ns, collapse_proxies=True)


def proxied(what: str, span_id: int, parent: int, times: tuple[float, float]) -> Row:
    return at(what, span_id, parent, times, resource_attributes=ENVOY)


def collapsed(*spans: Row) -> Any:  # noqa: ANN401
    return derive.facts(bucket(*spans), COLLAPSED)


TWO_SIDECARS = [
    at("A.C", 1),
    proxied("A-proxy.S", 2, 1, (5, 95)),
    proxied("A-proxy.C", 3, 2, (10, 90)),
    proxied("B-proxy.S", 4, 3, (15, 85)),
    proxied("B-proxy.C", 5, 4, (20, 80)),
    at("B.S", 6, 5, (25, 75)),
    at("B.C", 7, 6, (30, 40), peer_kind="database", peer_name="redis"),
]


def test_proxies_are_nodes_unless_asked_otherwise() -> None:
    """Every hop is there; spans of proxies are counted."""
    facts = facts_of(*TWO_SIDECARS)

    assert edges(facts) == {
        "A -> A-proxy (paired)": 1,
        "A-proxy -> B-proxy (paired)": 1,
        "B -> redis (peer)": 1,
        "B-proxy -> B (paired)": 1,
    }
    assert reasons(facts)["proxy"] == 4


def test_collapsed_proxies_are_the_gap_of_one_call() -> None:
    """What downstream waited is the outermost client span's, upstream's time is its own."""
    facts = collapsed(*TWO_SIDECARS)

    assert edges(facts) == {"A -> B (paired)": 1, "B -> redis (peer)": 1}
    paired = facts["edge_facts"].filter(evidence="paired").row(0, named=True)
    assert (paired["client_ns"], paired["server_ns"], paired["gap_ns"]) == (
        100 * MS,
        50 * MS,
        50 * MS,
    )


def test_proxy_with_a_single_span() -> None:
    """It is server and client at once: A called B."""
    spans = [at("A.C", 1), proxied("P.S", 2, 1, (5, 95)), at("B.S", 3, 2, (10, 90))]

    assert edges(facts_of(*spans)) == {"A -> P (paired)": 1, "P -> B (parent_only)": 1}
    assert edges(collapsed(*spans)) == {"A -> B (paired)": 1}


def test_sidecar_with_the_name_of_its_application() -> None:
    """Looks like a call of a service to itself, and is none."""
    spans = [
        at("A.C", 1),
        proxied("B.S", 2, 1, (5, 95)),
        proxied("B.C", 3, 2, (10, 90)),
        at("B.S", 4, 3, (15, 85)),
    ]

    assert edges(facts_of(*spans)) == {"A -> B (paired)": 1, "B -> B (paired)": 1}
    assert edges(collapsed(*spans)) == {"A -> B (paired)": 1}


def test_ingress_at_which_traces_begin_stays() -> None:
    """It is who users reach."""
    spans = [
        proxied("P.S", 1, 0, (0, 100)),
        proxied("P.C", 2, 1, (5, 95)),
        at("A.S", 3, 2, (10, 90)),
    ]

    assert (
        edges(collapsed(*spans))
        == edges(facts_of(*spans))
        == {
            "P -> A (paired)": 1,
            "user -> P (root)": 1,
        }
    )


@pytest.mark.parametrize("key", MARKS)
def test_proxies_are_told_by_their_resource(key: str) -> None:
    """By attributes that name the program, never by the service's name."""
    (value, *_) = sorted(MARKS[key])
    marked = at("P.S", 1, resource_attributes=json.dumps({key: value}))
    named = at("envoy.S", 2, trace=2, resource_attributes=json.dumps({key: "java"}))

    assert reasons(facts_of(marked, named))["proxy"] == 1
