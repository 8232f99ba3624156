"""Section "Spikes": where latency left its baseline, as lines over time and as a table."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, FigureBlock, Section, remark
from tracemap.report.figures.panels import Panel, panels
from tracemap.report.names import label
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, OPERATION, SERVICE, table
from tracemap.report.words import counted

HOW_TO_READ = (
    "Server is what a service itself took, client what its caller waited, gap the difference, "
    "self its own time. Shaded stretches left the baseline by more than chance allows."
)
_SHOWN = 5
_NUMBER = Column("number", "#", "count")
_COLUMNS = (
    SERVICE,
    OPERATION,
    Column("unit", "Measured", "text"),
    Column("waiting", "Who waits", "name"),
    Column("baseline_p95_ms", "Baseline p95 ms", "ms", "percentiles"),
    Column("p95_ms", "p95 ms", "ms", "percentiles"),
    Column("ratio", "Rise", "ratio", "rise-ratio"),
    Column("start", "From (UTC)", "time", "spike-episode"),
    Column("end", "To (UTC)", "time", "spike-episode"),
    Column("z", "z", "number", "robust-z"),
    CALLS,
)


def spikes(story: Story) -> Section | None:
    """Return the spikes, worst first; None where the recipe computed none and there are none."""
    if "spikes" not in story.findings.tables:
        return None
    blocks: list[Block] = []
    if not story.spikes:
        blocks.append(remark(_none(story)))
    figure = spike_panels(story)
    is_proof = story.findings.verdict == "incident" and "timeline" not in story.findings.sections
    if figure is not None and not is_proof:  # else it stands beside the headline
        blocks.append(figure)
    if story.spikes:
        rows = [
            {**row, "number": number, "waiting": (row["edge"] or {}).get("downstream")}
            for number, row in enumerate(story.spikes, 1)
        ]
        caption = f"{counted(len(rows), 'spike')}, worst first"
        columns: tuple[Column, ...] = _COLUMNS
        if story.findings.window == story.findings.ledger.covered:  # as --spike counts them
            columns = (_NUMBER, *_COLUMNS)
            caption = f"{caption}; --spike takes the number"
        blocks.append(table("spikes-table", caption, columns, rows))
    return Section(
        "spikes",
        "Spikes",
        tuple(blocks),
        HOW_TO_READ,
    )


def _none(story: Story) -> str:
    if story.findings.verdict == "insufficient_data":
        return "There is too little data in this window to tell whether a latency spiked."
    return "No latency spike stands out in this window."


def unit_of(row: Row) -> tuple[str, str, str, str]:
    """Return what a row of spikes measures, as the timeline keys it."""
    downstream = row["edge"]["downstream"] if row["edge"] else ""
    return row["unit"], row["service"], row["operation"], downstream


def spike_panels(story: Story, id_: str = "spikes-figure") -> FigureBlock | None:
    """Return the figure of the worst spikes, one panel per unit; None without a timeline."""
    lines = story.lines
    made: list[Panel] = []
    for row in story.spikes:
        unit = unit_of(row)
        if unit not in lines or any(panel.unit[1:3] == unit[1:3] for panel in made):
            continue  # one panel an operation: its client and server tell the same story
        shaded = tuple(
            (other["start"], other["end"]) for other in story.spikes if unit_of(other) == unit
        )
        made.append(
            Panel(unit, label(row["service"], row["operation"]), "spike", lines[unit], shaded)
        )
        if len(made) == _SHOWN:
            break
    if not made:
        return None
    return panels(
        id_,
        "The worst spikes over time",
        f"p95 of the {counted(len(made), 'operation')} with the worst spikes; shaded where it left "
        "its baseline. " + " ".join(panel.words() for panel in made),
        made,
    )
