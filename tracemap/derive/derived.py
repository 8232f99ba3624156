"""All intermediate results about the spans of a bucket, from which facts are counted."""

from __future__ import annotations

from dataclasses import dataclass

from tracemap.derive.arrays import Bools
from tracemap.derive.calls import calls
from tracemap.derive.kindless import with_calling_sides
from tracemap.derive.links import links
from tracemap.derive.messaging import Messages, messages
from tracemap.derive.observations import Observations, concatenated
from tracemap.derive.proxies import without_proxies
from tracemap.derive.roles import Roles, roles
from tracemap.derive.spans import Spans
from tracemap.derive.steps import Steps, steps
from tracemap.derive.tree import Tree, path_roots, tree
from tracemap.derive.upstreams import Upstreams, upstreams
from tracemap.model import TraceBucket


@dataclass(frozen=True)
class Derived:
    """What each step of derive found.

    Attributes:
        spans: The spans, sorted.
        tree: Who is whose parent.
        roots: Which spans start a critical path.
        roles: Which spans are entries and calls.
        upstreams: Whom each call reached.
        steps: The steps of call paths, with their time.
        messages: What messages make.
        calls: All observed calls, messages included.
    """

    spans: Spans
    tree: Tree
    roots: Bools
    roles: Roles
    upstreams: Upstreams
    steps: Steps
    messages: Messages
    calls: Observations


def derived(spans: Spans, bucket: TraceBucket, *, collapse_proxies: bool = False) -> Derived:
    """Return the intermediate results for `spans`: those of `bucket`, or of some of its traces."""
    family = tree(spans)
    if collapse_proxies and spans.proxy.any():
        spans = without_proxies(spans, family)
    spans = with_calling_sides(spans, family)
    roots = path_roots(spans, family)
    played = roles(spans, family)
    reached = upstreams(spans, played)
    walked = steps(spans, family, played, reached, roots)
    sent = messages(spans, family, played, reached, links(spans, bucket))
    called = concatenated([*calls(spans, family, played, reached), *sent.observations])
    return Derived(spans, family, roots, played, reached, walked, sent, called)
