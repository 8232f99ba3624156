"""Calling sides among spans without a kind: many exports leave it out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tracemap.derive.spans import Spans
from tracemap.derive.tree import Tree
from tracemap.model import Kind


def with_calling_sides(spans: Spans, tree: Tree) -> Spans:
    """Return `spans` with those of no kind that can be nothing but the calling side as CLIENT.

    Such a span lies within its service (its parent is of the same), and all that lies below it is
    one span of another service, which consumes no message. Else the way between the two would count
    as own time of the caller. A span that says INTERNAL is believed: it may work itself.
    """
    kindless = spans.kind == int(Kind.UNSPECIFIED)
    if not kindless.any():
        return spans
    inner = np.flatnonzero(tree.parent >= 0)
    above = tree.parent[inner]
    children = np.bincount(above, minlength=spans.kind.size)
    same = spans.service[inner] == spans.service[above]
    within, leaves = np.zeros_like(kindless), np.zeros_like(kindless)
    within[inner] = same
    leaves[above] = ~same & (spans.kind[inner] != int(Kind.CONSUMER))
    calling = kindless & within & leaves & (children == 1)
    kind = np.where(calling, np.uint8(Kind.CLIENT), spans.kind)
    return replace(spans, kind=kind)
