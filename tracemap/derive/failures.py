"""What became of failures: which made the step above fail, and which one a request failed of.

A step that failed makes the step above fail, unless nobody waited for it. Of several failed ones it
is the one that ended last: what failed before that, the step above survived (it tried again, or did
without). So every failure of a step is either its own or charged to exactly one step below, and
every failed request to exactly one step: the failures of a window add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.derive.arrays import Bools, Ints, Rows, Weights, kernel
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Spans
from tracemap.derive.steps import Steps, root_of_each


@dataclass(frozen=True)
class Failures:
    """What became of failures, one item a step.

    Attributes:
        failed: Whether the step failed.
        charged: Whether its failure is what made the step above fail.
        of_request: Whether a failed request is charged to it: it is the last of the chain of
            charged steps from a failed root.
        hit: At the first step of its path within the step above: whether any of them failed.
        hit_failed: There: the same, and the step above failed.
        above_failed: There: whether the step above failed.
        unanswered: Whether it is a call that no recorded entry answered.
        stands_for: At a step that is a request or that one is charged to: how many requests this
            one stands for, by its root's sampling; elsewhere 0.
    """

    failed: Bools
    charged: Bools
    of_request: Bools
    hit: Bools
    hit_failed: Bools
    above_failed: Bools
    unanswered: Bools
    stands_for: Weights


def failures(spans: Spans, roles: Roles, steps: Steps) -> Failures:
    """Return what became of the failures of all steps."""
    row = steps.span
    failed = np.asarray(spans.failed[row])
    end = steps.tiling.start[row] + np.maximum(spans.duration[row], 0)
    charged, of_request = _charged(steps.parent, failed & ~steps.tiling.apart[row], failed, end)
    above_failed = steps.is_new & (steps.parent >= 0) & failed[steps.parent]
    hit = _any_of_path(steps.first, failed) & steps.is_new
    return Failures(
        failed=failed,
        charged=charged,
        of_request=of_request,
        hit=hit,
        hit_failed=hit & above_failed,
        above_failed=above_failed,
        unanswered=steps.is_call & (roles.first_entry[row] < 0),
        stands_for=np.where(
            of_request | (steps.parent < 0), spans.weight[row][root_of_each(steps.parent)], 0.0
        ),
    )


@kernel
def _charged(parent: Rows, passing: Bools, failed: Bools, end: Ints) -> tuple[Bools, Bools]:
    """Return which steps' failures made the step above fail, and which ones requests failed of.

    A step comes after the one above it.
    """
    last = np.full(parent.size, -1, dtype=np.int32)
    for step in range(parent.size):
        above = parent[step]
        if above < 0 or not passing[step] or not failed[above]:
            continue
        if last[above] < 0 or end[step] > end[last[above]]:
            last[above] = step
    charged = np.zeros(parent.size, dtype=np.bool_)
    reached = np.zeros(parent.size, dtype=np.bool_)
    of_request = np.zeros(parent.size, dtype=np.bool_)
    for step in range(parent.size):
        above = parent[step]
        charged[step] = above >= 0 and last[above] == step
        reached[step] = failed[step] if above < 0 else charged[step] and reached[above]
        of_request[step] = reached[step] and last[step] < 0
    return charged, of_request


@kernel
def _any_of_path(first: Rows, failed: Bools) -> Bools:
    """Return, at the first step of each path within a step, whether any of them failed."""
    found = np.zeros(first.size, dtype=np.bool_)
    for step in range(first.size):
        found[first[step]] |= failed[step]
    return found
