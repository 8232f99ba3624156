"""Section "Hand-off": per owner, what its services gave, received and passed on."""

from __future__ import annotations

from tracemap.report.blocks import Name, Section, Sentence, SheetBlock
from tracemap.report.headline import cause_words, operation_name
from tracemap.report.names import shown
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.words import counted, in_ms

_LINES = 6
_SHEETS = 12
_UNKNOWN = "\0"
_SILENT = ("no spike", "too few calls")


def handoff(story: Story) -> Section | None:
    """Return one sheet per owner, unknown owners one per service; None where nothing moved."""
    if story.findings.verdict != "incident":
        return None
    told: dict[str, list[tuple[str, Sentence]]] = {}
    services: dict[str, list[str]] = {}
    for service, side, line in _lines(story):
        key = story.owners.get(service) or f"{_UNKNOWN}{service}"
        told.setdefault(key, []).append((side, line))
        if service not in services.setdefault(key, []):
            services[key].append(service)
    sheets = tuple(
        _sheet(number, key, services[key], told[key])
        for number, key in enumerate(list(told)[:_SHEETS])
    )
    if not sheets:
        return None
    return Section(
        "handoff",
        "Hand-off",
        sheets,
        "The interface owner is upstream's team: it decides what it offers. The experience owner "
        "is downstream's team: it decides what it lets through. Owners come from the traces; where "
        "they name none, the service stands alone.",
    )


def _sheet(
    number: int, key: str, services: list[str], told: list[tuple[str, Sentence]]
) -> SheetBlock:
    if key.startswith(_UNKNOWN):
        owner: Sentence = ("Owner unknown: ", Name(shown(key[1:])))
    else:
        owner = (Name(shown(key)),)
    lines = [line for _, line in told]
    if len(lines) > _LINES:
        rest = counted(len(lines) - _LINES, "more edge")
        lines = [*lines[:_LINES], (f"and {rest}: see Propagation.",)]
    is_known = not key.startswith(_UNKNOWN)
    shown_services = tuple(shown(service) for service in services) if is_known else ()
    return SheetBlock(f"handoff-{number + 1}", owner, shown_services, tuple(lines))


def _lines(story: Story) -> list[tuple[str, str, Sentence]]:
    """Return (service, side, sentence), origins first, then edges by what arrived."""
    made = [(row["service"], "origin", _origin(row)) for row in story.origins]
    for row in story.propagation:
        if row["verdict"] in _SILENT:
            continue
        made.append((row["upstream"], "interface", _interface(row)))
        made.append((row["downstream"], "experience", _experience(story, row)))
    return made


def _origin(row: Row) -> Sentence:
    traces = row["exemplars"] or []
    tail = f" Start with trace {shown(traces[0])}." if traces else ""
    return (
        f"Origin {row['rank']}: ",
        *cause_words(row),
        f" added {in_ms(row['excess_ms'] * 1e6)} to each user request on average.{tail}",
    )


def _interface(row: Row) -> Sentence:
    return (
        "Interface owner: ",
        *operation_name(row["upstream"], row["upstream_operation"]),
        f" offered {in_ms((row['offered_ms'] or 0) * 1e6)} more per request to ",
        *operation_name(row["downstream"], row["downstream_operation"]),
        f"; {in_ms((row['arrived_ms'] or 0) * 1e6)} arrived ({row['verdict']}).",
    )


def _experience(story: Story, row: Row) -> Sentence:
    kept = row["absorbed_ms"] or 0
    by = f" by {row['mechanism']}" if row["mechanism"] else ""
    if row in story.absorbed:
        tail = f"; {in_ms(kept * 1e6)} was kept away{by}."
    else:
        tail = "; nothing kept it away."
    return (
        "Experience owner: ",
        *operation_name(row["downstream"], row["downstream_operation"]),
        f" took {in_ms((row['arrived_ms'] or 0) * 1e6)} from ",
        Name(shown(row["upstream"])),
        tail,
    )
