"""Finding ``insulation``: what stops a spike on each edge, seen in spans; a file per idea.

::

    finding          all of it together, and what each thing stopped
    seen             the pattern facts of one window, summed per edge
    retries          further attempts, their pauses, storms, retries in two layers
    timeouts         calls given up, and callers who give up before their callees do
    breakers         calls that were not made, and calls that were no longer needed
    hedges           second calls beside slow ones
    fallbacks        something else instead, or nothing
    shapes           loops, fan-outs, calls in a row that could run side by side
    missing          edges on which nothing would stop a spike
"""

from __future__ import annotations

from tracemap.analyze.insulation.finding import insulation, named_mechanisms

__all__ = ["insulation", "named_mechanisms"]
