"""How many retries a call site may make."""

from __future__ import annotations

import numpy as np

from tracemap.model import SECOND_NS
from tracemap.simulate.draws import Integers, Mask
from tracemap.simulate.policies import Retry

BUDGET_CELL_NS = 10 * SECOND_NS


class Budget:
    """How many retries the calls of one call site still have.

    Args:
        retry: The rules.
        start_ns: When each call was made.
        deadline_ns: No attempt starts later than this after its call.
    """

    def __init__(self, retry: Retry, start_ns: Integers, deadline_ns: int) -> None:
        self.retry = retry
        self._start_ns = start_ns
        self._deadline_ns = deadline_ns
        self._cell = start_ns // BUDGET_CELL_NS - start_ns.min(initial=0) // BUDGET_CELL_NS
        share = round((retry.budget or 0) * 1_000_000)
        self._left = np.bincount(self._cell) * share // 1_000_000

    def granted(self, wanting: Integers, elapsed_ns: Integers) -> Mask:
        """Return which of these calls are made again: the earliest, as far as the budget goes.

        Args:
            wanting: Which calls.
            elapsed_ns: When the next attempt would start, from the start of the call.
        """
        in_time = np.asarray(elapsed_ns < self._deadline_ns)
        if self.retry.budget is None:
            return in_time
        asking = np.flatnonzero(in_time)
        order = asking[np.lexsort((asking, self._start_ns[wanting[asking]]))]
        cell = self._cell[wanting[order]]
        asked = np.bincount(cell, minlength=len(self._left))
        first = np.cumsum(asked) - asked
        granted = np.zeros(len(wanting), dtype=np.bool_)
        granted[order] = np.arange(len(cell)) - first[cell] < self._left[cell]
        self._left -= np.minimum(asked, self._left)
        return granted
