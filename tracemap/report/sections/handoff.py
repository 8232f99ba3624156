"""Section "Hand-off": per owner, what its services caused, received and passed on."""

from __future__ import annotations

from tracemap.report.blocks import Name, Section, Sentence, SheetBlock
from tracemap.report.names import shown
from tracemap.report.phrases import cause_words, effect_words, operation_name
from tracemap.report.roots import Root
from tracemap.report.rows import Row
from tracemap.report.story import LEAST_MS, LEAST_SHARE, SILENT, Story
from tracemap.report.words import counted, in_ms, listed, span_of

_LINES = 6
_SHEETS = 12
_UNKNOWN = "\0"
_WAY, _CALLS = "on the way between them", "for more calls"
_OWN, _BEYOND = "of its own time", "in which it waited itself"
_SMALL = "too small to follow in it"
_KINDS = {"gap": _WAY, "calls": _CALLS, "self": _OWN, "virtual": _OWN, "small": _SMALL}


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
    made = [(row["service"], "origin", _origin(story, row)) for row in story.origins]
    for row in story.propagation:
        if row["verdict"] in SILENT:
            continue
        made.append((row["upstream"], "interface", _interface(story, row)))
        made.append((row["downstream"], "experience", _experience(story, row)))
    return [*made, *_unknown(story)]


def _unknown(story: Story) -> list[tuple[str, str, Sentence]]:
    """Return the parts of changes that could not be followed to anybody."""
    made: list[tuple[str, str, Sentence]] = []
    for root in story.roots:
        left = root.unexplained_ms
        if root.change_ms <= 0 or left < max(LEAST_MS, LEAST_SHARE * root.change_ms):
            continue
        line = (
            f"Not known: {in_ms(left * 1e6)} of the change of ",
            *operation_name(*root.step),
            " could not be followed further; it is on nobody's sheet.",
        )
        made.append((root.service, "unknown", line))
    return made


def _origin(story: Story, row: Row) -> Sentence:
    traces = row["exemplars"] or []
    tail = f" Start with trace {shown(traces[0])}." if traces else ""
    called = "A lead, not a finding: " if row["confidence"] == "weak" else f"Origin {row['rank']}: "
    when = f" in {span_of(story.part)}" if story.part else ""
    return (
        called,
        *cause_words(row),
        f"{_did(row)}{when}.{tail}",
    )


def _did(row: Row) -> str:
    """Return what an origin did to users."""
    if row["cause"] == "error":
        return f": {effect_words(row)}"
    return f" added {in_ms(row['excess_ms'] * 1e6)} to each user request on average"


def _interface(story: Story, row: Row) -> Sentence:
    """Return how much slower upstream answered; where it was not slower itself, that it was not."""
    upstream = operation_name(row["upstream"], row["upstream_operation"])
    downstream = operation_name(row["downstream"], row["downstream_operation"])
    offered, arrived = (in_ms((row[name] or 0) * 1e6) for name in ("offered_ms", "arrived_ms"))
    root, parts = _parts(story, row)
    whole = sum(parts.values())
    if root is None or whole <= 0:
        tail: Sentence = (f"; {arrived} arrived ({row['verdict']}).",)
        return ("Interface owner: ", *upstream, f" offered {offered} more per request to ",
                *downstream, *tail)  # fmt: skip
    named = [
        f"{in_ms(part * 1e6)} {words}"
        for words, part in sorted(parts.items(), key=lambda item: -item[1])
        if part >= LEAST_SHARE * whole
    ]
    is_slower = parts[_OWN] + parts[_BEYOND] + parts[_SMALL] >= LEAST_SHARE * whole
    return (
        "Interface owner: ",
        *upstream,
        *(() if is_slower else (" was not slower itself;",)),
        *((": " if is_slower else " "), "calls to it took ", *downstream),
        f" {offered} more per request; {arrived} arrived ({row['verdict']}). In the change of ",
        *operation_name(*root.step),
        f" that is {listed(named)}.",
    )


def _parts(story: Story, row: Row) -> tuple[Root | None, dict[str, float]]:
    """Return what the time through an edge is made of, for the operation that got most of it."""
    best: tuple[Root | None, dict[str, float]] = (None, {})
    for root in story.roots:
        parts = dict.fromkeys((_WAY, _CALLS, _OWN, _BEYOND, _SMALL), 0.0)
        for leaf in root.leaves:
            below = leaf.passes(row)
            if below is not None:
                own = _KINDS.get(leaf.row["leaf"], _BEYOND)
                parts[own if below == 0 else _BEYOND] += leaf.share_ms
        if sum(parts.values()) > sum(best[1].values()):
            best = root, parts
    return best


def _experience(story: Story, row: Row) -> Sentence:
    kept = row["absorbed_ms"] or 0
    by = f" by {row['mechanism']}" if row["mechanism"] else ""
    if row in story.absorbed:
        tail = f"; {in_ms(kept * 1e6)} was kept away{by}."
    else:
        tail = f"; nothing kept it away{_lacking(story, row)}."
    return (
        "Experience owner: ",
        *operation_name(row["downstream"], row["downstream_operation"]),
        f" took {in_ms((row['arrived_ms'] or 0) * 1e6)} from ",
        Name(shown(row["upstream"])),
        tail,
        " The catalog declares no such dependency." if _is_undeclared(story, row) else "",
    )


def _is_undeclared(story: Story, row: Row) -> bool:
    return any(
        all(each[end] == row[end] for end in ("downstream", "upstream"))
        for each in story.declarations
        if each["status"] == "not declared"
    )


def _lacking(story: Story, row: Row) -> str:
    """Return that nothing protects an edge, or what makes a spike on it worse; '': neither."""
    edge = ("downstream", "downstream_operation", "upstream", "upstream_operation")
    here = [each for each in story.insulation if all(each[name] == row[name] for name in edge)]
    worse = [each["pattern"] for each in here if each["role"] == "hurts"]
    if worse:
        return f", and this made it worse: {listed(worse)}"
    if any(each["role"] == "missing" for each in here):
        return ", and nothing was seen on this edge that would"
    return ""
