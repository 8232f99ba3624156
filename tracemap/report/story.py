"""What the findings amount to: which user operation suffered most, and from what.

Read once and used by the headline and by several sections, so that they never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from operator import itemgetter

from tracemap.model import Findings, Window, iso
from tracemap.report.roots import Root, Step, roots_of
from tracemap.report.rows import Row, rows

LEAST_MS = 1.0
"""A mean that changed by less is no headline."""
LEAST_SHARE = 0.05
"""Changes below this share of what is usual, and parts below it of a change, go unsaid."""
_ALSO_NAMED = 0.2
"""A second strong origin is named from this share of the change on."""
_MOSTLY = 0.8
"""From this ratio on, what did not arrive is rounding rather than absorption."""
_SPREAD = ("propagated", "amplified")
SILENT = ("no spike", "within variation", "too few calls")
"""Verdicts of an edge of which there is nothing to tell."""
_pair = itemgetter("downstream", "downstream_operation", "upstream", "upstream_operation")


class Story:
    """Views of the findings that several parts of a report share."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def finding(self, name: str, owners: Mapping[str, str] | None = None) -> list[Row]:
        """Return the rows of a finding, as `rows` makes them; none where it is absent."""
        frame = self.findings.tables.get(name)
        return [] if frame is None or frame.is_empty() else rows(name, frame, owners)

    @property
    def compared(self) -> Window | None:
        """The window that was compared with the baseline: the incident."""
        return self.findings.incident or self.findings.window

    @property
    def part(self) -> Window | None:
        """The incident, where it is only a part of the window; else None."""
        return None if self.compared == self.findings.window else self.compared

    @cached_property
    def edges(self) -> list[Row]:
        """Edges with the owners of both ends, those with most calls first."""
        return sorted(
            self.finding("edges", self.owners),
            key=lambda row: (-row["calls"], row["downstream"], row["upstream"]),
        )

    @cached_property
    def spikes(self) -> list[Row]:
        """Spikes as the analysis ranked them: worst first."""
        return self.finding("spikes")

    @cached_property
    def insulation(self) -> list[Row]:
        """What was seen on edges: what protects, what hurts, advice, and where nothing is."""
        return self.finding("insulation")

    @cached_property
    def propagation(self) -> list[Row]:
        """Edges between operations, what arrived most first."""
        return sorted(
            self.finding("propagation"),
            key=lambda row: (-(row["arrived_ms"] or 0), -(row["offered_ms"] or 0), *_pair(row)),
        )

    @cached_property
    def spread(self) -> list[Row]:
        """Rows of propagation of which downstream got slower with upstream, the most first."""
        spread = [row for row in self.propagation if row["verdict"] in _SPREAD]
        return sorted(spread, key=lambda row: -row["offered_ms"])

    @cached_property
    def lines(self) -> dict[tuple[str, str, str, str], list[Row]]:
        """Rows of the timeline by unit, service, operation and downstream, in order of time."""
        made: dict[tuple[str, str, str, str], list[Row]] = {}
        for row in self.finding("timeline"):
            unit = (row["unit"], row["service"], row["operation"], row["downstream"])
            made.setdefault(unit, []).append(row)
        return {
            unit: sorted(points, key=lambda row: row["window_start"])
            for unit, points in sorted(made.items())
        }

    @cached_property
    def origins(self) -> list[Row]:
        """Origins by rank."""
        return sorted(self.finding("origins"), key=lambda row: row["rank"])

    @cached_property
    def drift(self) -> list[Row]:
        """Edges of two long windows with the owners of both ends, what changed most first."""
        return self.finding("drift", self.owners)

    @cached_property
    def regressions(self) -> list[Row]:
        """What users wait for, what costs them most first."""
        return self.finding("regressions")

    @cached_property
    def budget(self) -> list[Row]:
        """Failed user requests by service, the most first."""
        return self.finding("budget")

    @cached_property
    def trend(self) -> list[Row]:
        """Edges week by week."""
        return self.finding("trend")

    @cached_property
    def declarations(self) -> list[Row]:
        """Declared dependencies against observed ones, owner by owner."""
        return self.finding("declarations")

    @property
    def is_long_term(self) -> bool:
        """Whether weeks were compared, rather than an incident."""
        return bool({"drift", "regressions"} & set(self.findings.sections))

    @cached_property
    def owners(self) -> dict[str, str]:
        """Owner by service, where known."""
        named = {row["service"]: row["owner"] for row in self.origins if row["owner"]}
        return {**dict(self.findings.owners), **named}

    @cached_property
    def origin(self) -> Row | None:
        """The origin a report speaks of: the first strong one, else the first lead."""
        return next(iter(self.strong), self.origins[0] if self.origins else None)

    @cached_property
    def strong(self) -> list[Row]:
        """Origins that are findings rather than leads, by rank."""
        return [row for row in self.origins if row["confidence"] != "weak"]

    @cached_property
    def also(self) -> Row | None:
        """A second strong origin, where it explains about as much as the first."""
        for row in self.strong[1:]:
            part = self.hit.explained_ms(row) / self.hit.change_ms if self.hit else 0.0
            if part >= _ALSO_NAMED or (row["share"] or 0.0) >= _ALSO_NAMED:
                return row
        return None

    @cached_property
    def hit(self) -> Root | None:
        """The operation a report speaks of.

        The one to which the first strong origin did most in all; where it did nothing to any that
        became slower, the one that lost most time in all. None: there is no flow.
        """
        slower = [root for root in self.roots if root.change_ms >= LEAST_MS]
        if self.strong and slower:
            first = self.strong[0]
            worst = max(slower, key=lambda root: root.explained_ms(first) * (root.requests or 1))
            if worst.explained_ms(first) > 0:
                return worst
        return self.roots[0] if self.roots else None

    @cached_property
    def roots(self) -> list[Root]:
        """User-visible operations, those that lost most time in all first."""
        return roots_of(self.finding("flow"), self.finding("paths"))

    @cached_property
    def waited(self) -> dict[Step, Row]:
        """What users waited before and during, by operation."""
        return {(row["service"], row["operation"]): row for row in self.finding("user_operations")}

    def usual_ms(self, step: Step) -> float | None:
        """Return about how long an operation took in the baseline: the middle of its medians."""
        baseline = self.findings.baseline
        if baseline is None:
            return None
        start, end = iso(baseline.start_ns), iso(baseline.end_ns)
        medians = sorted(
            row["p50_ms"]
            for row in self.lines.get(("server", *step, ""), [])
            if start <= row["window_start"] < end and row["p50_ms"] is not None
        )
        return medians[len(medians) // 2] if medians else None

    def is_notable(self, root: Root) -> bool:
        """Return whether an operation changed by more than chance and by enough to be told."""
        least_ms = max(LEAST_MS, LEAST_SHARE * (self.usual_ms(root.step) or 0.0))
        return root.is_certain and abs(root.change_ms) >= least_ms

    @cached_property
    def absorbed(self) -> list[Row]:
        """Rows of propagation where time was kept from downstream, the most first."""
        kept = [
            row
            for row in self.propagation
            if row["verdict"] not in SILENT
            and (row["ratio"] or 0.0) < _MOSTLY
            and (row["absorbed_ms"] or 0) > 0
        ]
        return sorted(kept, key=lambda row: -row["absorbed_ms"])

    @cached_property
    def is_held_back(self) -> bool:
        """Whether a fault was absorbed, and users saw next to nothing of it, or only chance."""
        if self.strong or not self.absorbed:
            return False
        root, kept_ms = self.hit, self.absorbed[0]["absorbed_ms"]
        if root is None or root.change_ms < LEAST_MS or not self.is_notable(root):
            return True
        return root.change_ms < LEAST_SHARE * float(kept_ms)

    @cached_property
    def slower(self) -> list[Root]:
        """Operations that became slower by more than ordinary variation, or of a strong origin.

        Where the interval of a change is not known it counts, unless a fault was held back.
        """
        return [root for root in self.roots if root.change_ms >= LEAST_MS and self._is_told(root)]

    def _is_told(self, root: Root) -> bool:
        is_explained = any(root.explained_ms(origin) > 0 for origin in self.strong)
        is_open = not root.is_within_variation and not self.is_held_back
        return root.is_certain or is_explained or is_open
