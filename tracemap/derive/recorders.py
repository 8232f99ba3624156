"""Who recorded a span: a service, or a proxy in front of one.

Told by the resource, never by a service's name: a sidecar often bears its application's.
"""

from __future__ import annotations

import json

import polars as pl

MARKS: dict[str, frozenset[str]] = {
    "telemetry.sdk.name": frozenset({"envoy"}),
    "k8s.container.name": frozenset({"istio-proxy", "envoy", "linkerd-proxy", "consul-dataplane"}),
    "process.executable.name": frozenset(
        {"envoy", "pilot-agent", "linkerd2-proxy", "haproxy", "nginx", "traefik"}
    ),
}
"""Resource attributes that tell a proxy, with their values."""


def is_proxy(resources: pl.DataFrame) -> pl.Series:
    """Return which of `resources` (as `model.RESOURCES`) are proxies."""
    return pl.Series([_is_marked(text) for text in resources["attributes"]], dtype=pl.Boolean)


def _is_marked(attributes: str | None) -> bool:
    if not attributes or not any(key in attributes for key in MARKS):
        return False
    found = json.loads(attributes)
    return any(found.get(key) in names for key, names in MARKS.items())
