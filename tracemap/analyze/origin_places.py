"""Where to look for traces that show an origin: the unit of its largest component."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tracemap.analyze.blame import Row, counted
from tracemap.model import EXEMPLAR_PLACES

_UNITS = {"self": "self", "gap": "gap", "hidden retries": "gap", "failed": "server"}
"""What is measured of a component by its kind; of all others, what downstream waited."""
_ANY_CALLER = ("self", "failed")
_FAILING = ("failed", "lost", "retries", "fallback")


def origin_places(named: Sequence[Row]) -> pl.DataFrame:
    """Return what traces have to show for each origin to be seen, as `model.EXEMPLAR_PLACES`.

    Args:
        named: Origins in order of their rank, with their ``components``; those without any (another
            mix of requests) have no place.
    """
    rows = []
    for rank, origin in enumerate(named, start=1):
        if not origin["components"]:
            continue
        row, _ = max(origin["components"], key=lambda pair: counted(pair[0]) * pair[1])
        rows.append(
            {
                "number": rank,
                "unit": _UNITS.get(row["kind"], "client"),
                "downstream": None if row["kind"] in _ANY_CALLER else row["downstream"],
                "service": row["upstream"],
                "operation": row["operation"],
                "failing": row["kind"] in _FAILING,
            }
        )
    return pl.DataFrame(rows, schema=EXEMPLAR_PLACES.schema)
