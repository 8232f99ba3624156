"""A changed mix of requests within a root operation: its mean rises though no request got slower.

Requests of a root operation are told apart by the calls they make (`model.REQUEST_FACTS`). With
shares p and means m of each class, and bars for the mean of both windows (Kitagawa)::

    change of the mean = sum((p1 - p0) * (m_bar - M_bar)) [mix] + sum(p_bar * (m1 - m0)) [within]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_tree import per
from tracemap.analyze.statistics import LOG_BUCKET, NORMAL_95, jackknife
from tracemap.analyze.windows import sided
from tracemap.model import JACKKNIFE_BUCKETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.model import Window

MOST_CLASSES = 20
"""Classes told apart per root operation; the rarer ones count as one."""
_SUMS = ("requests", "errors", "duration_ns", "self_ns", "self_buckets", "self_squares")


@dataclass(frozen=True)
class RootMix:
    """The requests of one root operation by class.

    Attributes:
        service: Its service.
        operation: Its name.
        sums: By name of `_SUMS`: shape (replicate, side, class), replicate 0 is all data.
        by_cell: The same; replicates leave out cells of time rather than hash buckets of traces.
        burstiness: How much wider cells of the baseline scatter than requests alone would make
            them, class by class, at least 1; as `statistics.overdispersion`.
    """

    service: str
    operation: str
    sums: dict[str, NDArray[np.float64]]
    by_cell: dict[str, NDArray[np.float64]]
    burstiness: float = 1.0

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class, shape (replicate, side, class)."""
        return _shares(self.sums)

    @property
    def shift(self) -> float:
        """Half the sum of the changes of all shares: how many requests changed class."""
        return float(np.abs(self.shares[0, 1] - self.shares[0, 0]).sum() / 2)

    @property
    def chance(self) -> float:
        """How large `shift` would be by chance: its mean where nothing changed."""
        requests = self.sums["requests"][0]
        mean = per(requests.sum(axis=0), np.full(requests.shape[1], requests.sum()))
        spread = mean * (1 - mean) * sum(1 / max(side, 1.0) for side in requests.sum(axis=1))
        return float(np.sqrt(2 / np.pi * spread).sum() / 2)

    @property
    def failing(self) -> float:
        """Rise of the share of requests that fail: they stop early, and so change class."""
        sums = (self.sums[name][0].sum(axis=1) for name in ("errors", "requests"))
        before, now = per(*sums)
        return max(0.0, float(now - before))

    def excess(self) -> tuple[float, float]:
        """Return what the mix adds to the mean of the operation in ns, and its half-width."""
        mean = per(self.sums["duration_ns"], self.sums["requests"])
        known = self.sums["requests"] > 0
        mean = np.where(known, mean, mean[:, ::-1])  # seen in one window only: as there
        shares = self.shares
        middle = mean.mean(axis=1)
        whole = (shares.mean(axis=1) * middle).sum(axis=1, keepdims=True)
        mixed = ((shares[:, 1] - shares[:, 0]) * (middle - whole)).sum(axis=1)
        return float(mixed[0]), float(jackknife(mixed[1:, None], mixed[:1])[0])

    def own_time(self, *, by_cell: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return its own time before in ns, and its rise, with the mix of the incident.

        Classes seen in one window only have nothing to compare with.

        Args:
            by_cell: Whether the replicates are those of `by_cell`.
        """
        sums = self.by_cell if by_cell else self.sums
        own = per(sums["self_ns"], sums["requests"])
        known = (sums["requests"].min(axis=1) > 0) * _shares(sums)[:, 1]
        usual, rise = own[:, 0] * known, (own[:, 1] - own[:, 0]) * known
        return usual.sum(axis=1), rise.sum(axis=1)

    def own_evidence(self) -> tuple[float, float]:
        """Return lower ratio and z of the slowdown of its own time, class by class.

        As `statistics.slowdown`, classes weighed by how much they say (Cochran, Mantel, Haenszel).
        """
        n = self.sums["requests"][0]
        both = n.min(axis=0) > 0
        if not both.any():
            return 0.0, 0.0
        weight = per(n[0] * n[1], n.sum(axis=0)) * both
        weight /= weight.sum()
        mean = per(self.sums["self_buckets"][0], n)
        spread = np.maximum(self.sums["self_squares"][0] - n * mean**2, 0.0)
        variance = per(spread.sum(axis=1), np.maximum(n.sum(axis=1) - both.sum(), 1.0)).clip(1.0)
        error = per(np.broadcast_to(variance[:, None], n.shape), n)
        square = float((weight**2 * (error[0] * self.burstiness + error[1])).sum())
        shift = float((weight * (mean[1] - mean[0])).sum()) * LOG_BUCKET
        half = max(square, 1e-12) ** 0.5 * LOG_BUCKET
        return float(np.exp(shift - NORMAL_95 * half)), shift / half


def root_mixes(
    request_facts: pl.DataFrame,
    roots: set[tuple[str, str]],
    incident: Window,
    baseline: Window,
) -> list[RootMix]:
    """Return the classes of requests of each root operation, in the order of their names.

    Args:
        request_facts: As `model.REQUEST_FACTS`, of both windows.
        roots: The root operations that count.
        incident: The window to explain.
        baseline: The window to compare with.
    """
    facts = sided(request_facts, incident, baseline)
    by = ["service", "operation"]
    common = (
        facts.group_by(*by, "class_id")
        .agg(pl.col("requests").sum())
        .sort("requests", "class_id", descending=[True, False])
        .group_by(by, maintain_order=True)
        .head(MOST_CLASSES)
        .sort(*by, "class_id")
        .with_columns(place=pl.int_range(1, pl.len() + 1).over(by))
        .select(*by, "class_id", "place")
    )
    placed = facts.join(common, on=[*by, "class_id"], how="left").with_columns(
        pl.col("place").fill_null(0)
    )
    parts = placed.partition_by(by, as_dict=True)
    return [
        RootMix(
            str(service),
            str(operation),
            _cubes(part, pl.col("hash_bucket") % JACKKNIFE_BUCKETS, JACKKNIFE_BUCKETS),
            _cubes(part, pl.col("window_start_ns").rank("dense").over("during") - 1),
            _burstiness(part),
        )
        for (service, operation), part in sorted(parts.items())
        if (service, operation) in roots
    ]


def _shares(sums: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the share of each class, shape (replicate, side, class)."""
    requests = sums["requests"]
    return per(requests, np.broadcast_to(requests.sum(axis=2, keepdims=True), requests.shape))


def _cubes(part: pl.DataFrame, left_out: pl.Expr, parts: int = 0) -> dict[str, NDArray[np.float64]]:
    """Return the sums as arrays (replicate, side, class); see `call_tree.call_tree`.

    Args:
        part: Requests of one root operation.
        left_out: Number, from 0, of what each replicate leaves out.
        parts: How many there are; 0: as many as there are numbers.
    """
    number = part.select(left_out.cast(pl.Int64)).to_series().to_numpy()
    replicates = parts or int(number.max(initial=0)) + 1
    place = (number, part["during"].cast(pl.Int64).to_numpy(), part["place"].to_numpy())
    sums = {}
    for name in _SUMS:
        cube = np.zeros((replicates, 2, MOST_CLASSES + 1))
        np.add.at(cube, place, part[name].cast(pl.Float64).to_numpy())
        total = cube.sum(axis=0)
        sums[name] = np.concatenate([total[None], total[None] - cube])
    return sums


def _burstiness(part: pl.DataFrame) -> float:
    """Return `RootMix.burstiness`: the lower end of the interval of a variance ratio."""
    n, total = pl.col("requests"), pl.col("self_buckets").cast(pl.Float64)
    cells = (
        part.filter(~pl.col("during"))
        .group_by("place", "window_start_ns")
        .agg(n.sum(), total.sum(), pl.col("self_squares").cast(pl.Float64).sum())
        .with_columns(explained=total**2 / n)
    )
    classes = cells.group_by("place").agg(
        n.sum(),
        total.sum(),
        pl.col("self_squares").sum(),
        pl.col("explained").sum(),
        cells=pl.len(),
    )
    between = float(
        (classes["explained"] - classes["self_buckets"] ** 2 / classes["requests"]).sum()
    )
    within = float((classes["self_squares"] - classes["explained"]).sum())
    degrees = float((classes["cells"] - 1).sum()), float(classes["requests"].sum() - cells.height)
    if min(degrees) <= 0 or within <= 0:
        return 1.0
    uncertainty = NORMAL_95 * (2 / degrees[0] + 2 / degrees[1]) ** 0.5
    ratio = between / degrees[0] / (within / degrees[1])
    return max(1.0, ratio / float(np.exp(uncertainty)))
