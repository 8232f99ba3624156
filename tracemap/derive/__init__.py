"""SPANS -> FACTS: trees, entries and calls, latencies and call paths of whole traces.

Everything here is a pure function of a `model.TraceBucket`, and additive: facts of two halves of
the traces, summed, are the facts of the whole. So a laptop derives bucket by bucket, a cluster
partition by partition, with the same functions.
"""

from __future__ import annotations

from tracemap.derive.facts import facts
from tracemap.derive.merging import merge
from tracemap.derive.waterfall import waterfall
from tracemap.derive.whatif import hardness_facts, whatif_facts

__all__ = ["facts", "hardness_facts", "merge", "waterfall", "whatif_facts"]
