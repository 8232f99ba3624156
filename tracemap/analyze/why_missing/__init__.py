"""Finding ``why_missing``: why no edge joins two services, or that one does.

::

    pair        what is known of the two, and the reasons there are
    finding     all reasons that hold, likeliest first
    ways        a queue or other services between them, or the other way round
    calls       whom downstream's calls reached instead
    likeness    how alike two names are
    context     requests without a caller, sampling, rejected records
"""

from __future__ import annotations

from tracemap.analyze.why_missing.finding import why_missing
from tracemap.analyze.why_missing.pair import REASONS, Pair

__all__ = ["REASONS", "Pair", "why_missing"]
