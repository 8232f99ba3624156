"""When a named peer is a service of the export."""

from __future__ import annotations

import pytest

from tests.builders import span, span_batch
from tracemap.derive.peers import peers


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("service", "cart", ("cart", "service", "name")),
        ("external", "cart", ("cart", "service", "name")),
        ("external", "cart:8080", ("cart", "service", "host")),
        ("external", "cart.shop.svc.cluster.local", ("cart", "service", "host")),
        ("external", "cart.shop", ("cart", "service", "host")),
        ("external", "cart.internal", ("cart", "service", "host")),
        ("external", "cart.example.com", ("cart.example.com", "external", "")),
        ("external", "other.shop.svc", ("other.shop.svc", "external", "")),
        ("database", "cart", ("cart", "database", "")),
        ("queue", "cart", ("cart", "queue", "")),
        ("", "", ("", "", "")),
    ],
)
def test_peer_is_resolved(kind: str, name: str, expected: tuple[str, str, str]) -> None:
    """By its name, or by a host name that shows it is inside the cluster."""
    batch = span_batch(
        [
            span(1, service_name="cart", service_namespace="shop"),
            span(2, name="call", peer_kind=kind, peer_name=name),
        ]
    )
    resources = batch.resources.with_columns(service="service_name")

    assert peers(batch.operations, resources).row(1)[1:] == expected
