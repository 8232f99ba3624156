"""Section "Timeline": origin and victims over time, with the window shaded."""

from __future__ import annotations

from collections.abc import Iterator

from tracemap.model import Window, iso
from tracemap.report.blocks import FigureBlock, Section
from tracemap.report.figures.panels import Panel, Shade, Stretch, Unit, panels
from tracemap.report.names import label
from tracemap.report.roots import Step
from tracemap.report.rows import Row
from tracemap.report.sections.spikes import unit_of
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.words import span_of

_SHOWN = 5
_ORDER = "Read downwards: the origin is on top, what it reached below it. "
_NO_ORIGIN = "What users waited over time"
_VISIBLE = 1.1
"""A middle that rose by less is a flat line to the eye."""


def timeline(story: Story) -> Section | None:
    """Return origin, hops and victims as panels; None without a timeline."""
    figure = _figure(story)
    if figure is None:
        return None
    return Section(
        "timeline",
        "Timeline",
        (figure,),
        f"{_ORDER if _has_origin(story) else ''}The strong line is p95, the thin "
        "one p99, the dotted one the median; each panel has its own scale. Stretches in which a "
        "latency left its baseline are shaded.",
    )


def _figure(story: Story) -> FigureBlock | None:
    chosen = _chosen(story)
    if not chosen:
        return None
    findings = story.findings
    rows = story.waited.values()
    is_empty = bool(rows) and not any(row["baseline_requests"] for row in rows)
    windows = (
        _ends_of(None if is_empty else findings.baseline),
        _ends_of(story.compared if findings.baseline else None),
    )
    shown = [
        Panel(
            unit, label(*unit[1:3]), role, story.lines[unit], _spikes(story, unit), *windows,
            whole=_whole(story, unit),
        )
        for unit, role in ((unit, _told(story, role)) for unit, role in chosen)
    ]  # fmt: skip
    is_incident = findings.verdict == "incident"
    shades = [
        *_shades(findings.baseline, "baseline"),
        *(_shades(story.compared, "incident") if is_incident else ()),
    ]
    window = span_of(findings.window)
    summary = f"The window is {window}. " + " ".join(panel.words() for panel in shown)
    title = "Origin and victims over time" if _has_origin(story) else _NO_ORIGIN
    return panels("timeline-figure", title, summary, shown, shades)


def _told(story: Story, role: str) -> str:
    """Return the role of a unit as far as it is certain: nobody is accused by a picture alone."""
    if role == "origin" and not (story.strong and story.findings.verdict == "incident"):
        return "lead"
    return "user" if role == "victim" and story.findings.verdict != "incident" else role


def _has_origin(story: Story) -> bool:
    """Return whether the first panel is an origin, rather than only the largest rise."""
    return story.findings.verdict == "incident" and bool(_way(story))


def _spikes(story: Story, unit: Unit) -> tuple[tuple[str, str], ...]:
    """Return when a unit spiked, as far as that is not shaded in all panels already."""
    window = story.compared
    spans = [(row["start"], row["end"]) for row in story.spikes if unit_of(row) == unit]
    if window is None or story.findings.verdict != "incident":
        return tuple(spans)
    start, end = iso(window.start_ns), iso(window.end_ns)
    return tuple(span for span in spans if span[0] < start or span[1] > end)


def _whole(story: Story, unit: Unit) -> tuple[float, float] | None:
    """Return p95 of all of the baseline and of all of the window, where a unit is what users wait.

    The same numbers as in the headline.
    """
    measured, service, operation, downstream = unit
    row = story.waited.get((service, operation))
    if row is None or measured != "server" or downstream:
        return None
    before_ms, now_ms = row["baseline_p95_ms"], row["p95_ms"]
    return None if before_ms is None or now_ms is None else (before_ms, now_ms)


def _ends_of(window: Window | None) -> Stretch | None:
    return (iso(window.start_ns), iso(window.end_ns)) if window else None


def _shades(window: Window | None, kind: str) -> list[Shade]:
    return [Shade(iso(window.start_ns), iso(window.end_ns), kind)] if window else []


def _chosen(story: Story) -> list[tuple[Unit, str]]:
    """Return units with their roles: origin, hops between, victims; the largest rise if none."""
    chosen: dict[Unit, str] = {}
    way = _way(story)
    for number, step in enumerate(way):
        role = "origin" if number == 0 else "victim" if number == len(way) - 1 else "between"
        waits = way[number + 1][0] if number + 1 < len(way) else ""
        if number == 0:
            unit = _origin_unit(story, step, waits)
        else:
            unit = _unit(story, "server", step, waits)
        if unit is not None:
            chosen.setdefault(unit, role if role != "victim" or _rose(story, unit) else "user")
    for root in story.roots:
        unit = _unit(story, "server", (root.service, root.operation), "")
        if unit is not None and root.change_ms >= LEAST_MS and _rose(story, unit):
            chosen.setdefault(unit, "victim")
    for step, role in () if chosen else _spoken_of(story):
        unit = _unit(story, "server", step, "")
        if unit is not None and unit[2] == step[1]:
            chosen.setdefault(unit, role)
    if not chosen:
        largest = sorted(story.lines, key=lambda unit: (-_rise(story, unit), unit))
        first = {label(*unit[1:3]): unit for unit in reversed(largest)}  # a line for each name
        role = "between" if story.findings.verdict == "incident" else "user"
        chosen = {unit: role for unit in largest if first[label(*unit[1:3])] == unit}
    return list(chosen.items())[:_SHOWN]


def _spoken_of(story: Story) -> Iterator[tuple[Step, str]]:
    """Return whom a headline without an origin is about: what spread, then what users wait for."""
    for row in story.spread[:1]:
        yield (row["upstream"], row["upstream_operation"]), "between"
        yield (row["downstream"], row["downstream_operation"]), "between"
    for root in story.roots:
        yield root.step, "user"


def _way(story: Story) -> list[Step]:
    """Return the way from the first origin to the hardest hit operation, upstream first."""
    if story.origin is None:
        return []
    origin = story.origin
    leaves = story.hit.from_origin(origin) if story.hit else []
    if leaves:
        return list(leaves[0].steps)
    return [(origin["service"], origin["operation"] or "")]


def _origin_unit(story: Story, step: Step, waits: str) -> Unit | None:
    """Return the line that shows the origin, preferably as its downstream on the way sees it."""
    origin = story.origin
    if origin is None:
        return None
    ends = _ends(story, origin)
    if ends is not None:
        mine = [
            unit
            for unit in story.lines
            if unit[0] in ("gap", "client") and (unit[3], unit[1]) == ends
        ]
        if mine:
            return max(mine, key=lambda unit: (unit[0] == "gap", _rise(story, unit)))
    for measured in ("server", "self", "client"):
        for named in (
            step,
            (origin["service"], origin["operation"] or ""),
            (origin["service"], ""),
        ):
            unit = _unit(story, measured, named, waits)
            if unit is not None:
                return unit
    return None


def _ends(story: Story, origin: Row) -> tuple[str, str] | None:
    """Return downstream and upstream of the edge that shows an origin best; None: no edge does."""
    if origin["edge"] is not None:
        return origin["edge"]["downstream"], origin["edge"]["upstream"]
    leaves = story.hit.from_origin(origin) if story.hit else []
    if origin["cause"] != "wire" or not leaves:
        return None
    return leaves[0].row["service"], leaves[0].row["upstream"]


def _unit(story: Story, measured: str, step: Step, waits: str) -> Unit | None:
    """Return the unit of that operation as its downstream on the way calls it.

    Else as all call it together, else the one that rose most: of the operation, where it has any
    line, of the service otherwise. '' as downstream: all together.
    """
    service, operation = step
    mine = [unit for unit in story.lines if unit[:2] == (measured, service)]
    exact = [unit for unit in mine if unit[2] == operation] or mine
    for downstream in (waits, ""):
        fitting = [unit for unit in exact if unit[3] == downstream]
        if fitting:
            return max(fitting, key=lambda unit: (_rise(story, unit), unit))
    return max(exact, key=lambda unit: (_rise(story, unit), unit), default=None)


def _rose(story: Story, unit: Unit) -> bool:
    """Return whether a line can be seen to rise in the window; True where that is not known."""
    window = story.compared
    if window is None:
        return True
    start, end = iso(window.start_ns), iso(window.end_ns)
    for name in ("p50_ms", "p95_ms"):
        inside, outside = (
            sorted(
                row[name]
                for row in story.lines[unit]
                if row[name] is not None and (start <= row["window_start"] < end) is is_inside
            )
            for is_inside in (True, False)
        )
        if not inside or not outside:
            return True
        if inside[len(inside) // 2] >= _VISIBLE * outside[len(outside) // 2]:
            return True
    return False


def _rise(story: Story, unit: Unit) -> float:
    values = sorted(row["p95_ms"] or 0.0 for row in story.lines[unit])
    return values[-1] - values[len(values) // 2] if values else 0.0
