"""A trace as bars of text."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from tracemap.cli.output import visible

_NARROWEST_BAR = 20
_NAME_SHARE = 0.45
_PIPE_WIDTH = 140
_FIGURES_WIDTH = 24
"""Two columns of milliseconds, ten wide, with their gaps."""

Span = Mapping[str, Any]


def print_waterfall(spans: Sequence[Span]) -> None:
    """Print one line a span, in the order given (depth first).

    ``#`` is the span's own time on the critical path of the trace, ``=`` other time of it; a span
    of no length is a single mark. Milliseconds: duration, and that own time.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE_WIDTH
    name_width = int((width - _FIGURES_WIDTH) * _NAME_SHARE)
    bar_width = max(_NARROWEST_BAR, width - _FIGURES_WIDTH - name_width)
    begin_ns = min(span["start_ns"] for span in spans)
    end_ns = max(span["start_ns"] + (span["duration_ns"] or 0) for span in spans)
    typer.echo(f"trace {spans[0]['trace_id']}: {len(spans):,} spans, {_ms(end_ns - begin_ns)} ms")
    typer.echo(
        "# own time on the critical path, = other; ms: duration, own time on the critical path"
    )
    for span in spans:
        bar = _bar(span, begin_ns, max(1, end_ns - begin_ns), bar_width)
        figures = f"{_ms(span['duration_ns']):>10}  {_ms(span['critical_ns']):>10}"
        typer.echo(f"{_name(span, name_width)}  {bar}{figures}".rstrip())


def _name(span: Span, width: int) -> str:
    error = "! " if span["status_code"] == "ERROR" else ""
    flags = f" [{', '.join(span['flags'])}]" if span["flags"] else ""
    name = visible(f"{error}{span['service']} {span['operation']}{flags}")
    text = f"{'  ' * min(span['depth'], width // 4)}{name}"
    return f"{text[: width - 1]}…" if len(text) > width else f"{text:<{width}}"


def _bar(span: Span, begin_ns: int, total_ns: int, width: int) -> str:
    first = (span["start_ns"] - begin_ns) * (width - 1) // total_ns
    length = max(1, (span["duration_ns"] or 0) * width // total_ns)
    bar = [" "] * width
    bar[first : first + length] = ["="] * min(length, width - first)
    parts = span["critical_parts_ns"] or ()
    for start_ns, end_ns in zip(parts[::2], parts[1::2], strict=True):
        start = first + start_ns * width // total_ns
        for at in range(start, max(start + 1, first + end_ns * width // total_ns)):
            if at < min(first + length, width):
                bar[at] = "#"
    return "".join(bar)


def _ms(duration_ns: int | None) -> str:
    return "-" if duration_ns is None else f"{duration_ns / 1e6:,.2f}"
