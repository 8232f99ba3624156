"""What the colour of an edge means: the change of its p95, or its p95 where nothing was compared.

Steps differ in lightness as well as in hue, so that nobody needs to tell red from green.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracemap.report.figures.layers import Link
from tracemap.report.figures.style import GRID
from tracemap.report.words import in_ms, significant

_LEVELS = 4
_FASTER = 0.9
_SLOWER = (1.1, 1.5, 3.0)


@dataclass(frozen=True)
class Scale:
    """Colours by step, and what each step means; step -1 is unknown.

    Attributes:
        title: What is coloured.
        limits: Upper limit of each step but the last.
        paints: Colour of each step.
        labels: What each step means.
        is_change: Whether the change counts, or the p95 itself.
    """

    title: str
    limits: tuple[float, ...]
    paints: tuple[str, ...]
    labels: tuple[str, ...]
    is_change: bool

    def step(self, link: Link) -> int:
        """Return the step of a link."""
        value = link.change_ratio if self.is_change else link.p95_ms
        if value is None:
            return -1
        return next(
            (at for at, limit in enumerate(self.limits) if value <= limit), len(self.limits)
        )

    def paint(self, step: int) -> str:
        """Return the colour of a step."""
        return GRID if step < 0 else self.paints[step]

    def label(self, step: int) -> str:
        """Return what a step means."""
        return f"{self.title} unknown" if step < 0 else self.labels[step]


def scale_of(links: Sequence[Link]) -> Scale:
    """Return the scale that fits: of changes where any is known, else of levels."""
    if any(link.change_ratio is not None for link in links):
        return _changes()
    return _levels([max(link.p95_ms, 1e-3) for link in links if link.p95_ms is not None])


def _changes() -> Scale:
    low, middle, high = (significant(limit) for limit in _SLOWER)
    return Scale(
        "p95 change",
        (_FASTER, *_SLOWER),
        tuple(f"var(--change-{name})" for name in ("faster", "same", "1", "2", "3")),
        (
            "p95 fell by 10 % or more",
            "p95 about as before",
            f"p95 {low} to {middle} times",
            f"p95 {middle} to {high} times",
            f"p95 {high} times or more",
        ),
        is_change=True,
    )


def _levels(values: Sequence[float]) -> Scale:
    """Return equal steps on a logarithmic scale."""
    low, high = math.log(min(values, default=1.0)), math.log(max(values, default=1.0))
    limits = [math.exp(low + (high - low) * (step + 1) / _LEVELS) for step in range(_LEVELS)]
    return Scale(
        "p95",
        tuple(limit * 1.000001 for limit in limits[:-1]),
        tuple(f"var(--step-{step})" for step in range(_LEVELS)),
        tuple(f"p95 up to {in_ms(limit * 1e6)}" for limit in limits),
        is_change=False,
    )
