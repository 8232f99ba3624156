"""The graph without proxies: callers are shown to call the services behind them.

A sidecar, an ingress or a mesh stands between two services and records spans of its own: SERVER
towards the one, CLIENT towards the other, or a single span for both (`tracemap.derive.recorders`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Codes, Rows, kernel
from tracemap.derive.spans import Spans
from tracemap.derive.tree import Tree
from tracemap.model import Kind

_INTERNAL = int(Kind.INTERNAL)


def without_proxies(spans: Spans, tree: Tree) -> Spans:
    """Return `spans` as if the callers of proxies had called what is behind these.

    A proxy's span with a parent becomes work inside the caller's service, so that the call is the
    one outermost client span, and its gap holds what all proxies on the way took. A proxy at which
    a trace begins stays: it is who users reach.
    """
    service, host, kind = _collapsed(
        tree.order, tree.parent, spans.proxy, spans.service.copy(), spans.host.copy(),
        spans.kind.copy(),
    )  # fmt: skip
    return replace(spans, service=service, host=host, kind=kind)


@kernel
def _collapsed(  # noqa: PLR0917
    order: Rows, parent: Rows, proxy: Bools, service: Codes, host: Codes, kind: Bytes
) -> tuple[Codes, Codes, Bytes]:
    """Give each proxy's span, from the roots down, the service of the span above it."""
    kept = np.zeros(order.size, dtype=np.bool_)
    for row in order:
        above = parent[row]
        if not proxy[row]:
            continue
        kept[row] = above < 0 or (kept[above] and service[above] == service[row])
        if not kept[row]:
            service[row] = service[above]
            host[row] = host[above]
            kind[row] = _INTERNAL
    return service, host, kind
