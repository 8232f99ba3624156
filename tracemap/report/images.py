"""Figures as pictures, drawn by the system's Chromium: the optional extra ``image``.

Colours of the stylesheet are taken for light ground, because pictures end up in documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from tracemap.errors import PipelineError
from tracemap.report.blocks import FigureBlock, Page

FORMATS = ("png", "svg")
_WIDTH_PX = 1200
_SCALE = 2
_VARIABLE = re.compile(r"var\((--[\w-]+)\)")
_HINT = "pip install 'otel-tracemap[image]', and Chromium or Chrome from your system's packages"


def require() -> None:
    """Do nothing where pictures can be drawn.

    Raises:
        PipelineError: If kaleido or a Chromium is missing.
    """
    if find_spec("kaleido") is None:
        raise PipelineError(
            "figures cannot be saved as pictures: kaleido is not installed",
            where="--png, --svg",
            hint=_HINT,
        )
    from choreographer.browsers.chromium import Chromium  # noqa: PLC0415 - an optional extra

    if Chromium.find_browser(skip_local=False) is None:
        raise PipelineError(
            "figures cannot be saved as pictures: there is no Chromium or Chrome",
            where="--png, --svg",
            hint=_HINT,
        )


def images(page: Page, ending: str) -> Iterator[tuple[str, bytes]]:
    """Yield id and picture of every figure of a page, in the order of the page.

    Args:
        page: The view model.
        ending: ``png`` or ``svg``.

    Raises:
        PipelineError: If the browser fails, or there is none.
    """
    require()
    import kaleido  # type: ignore[import-untyped]  # noqa: PLC0415 - an optional extra
    from choreographer import errors  # noqa: PLC0415

    colours = _colours()
    failures = errors.BrowserFailedError, errors.BrowserClosedError, errors.ChannelClosedError
    kaleido.start_sync_server(silence_warnings=True, mathjax=False)
    try:
        for figure in page.figures:
            options = {"format": ending, **_size(figure), "scale": _SCALE if ending == "png" else 1}
            picture: bytes = kaleido.calc_fig_sync(_painted(figure, colours), opts=options)
            yield figure.id, picture
    except failures as error:
        raise PipelineError(
            f"figures cannot be saved as pictures: the browser failed ({error})",
            where="--png, --svg",
            hint="does `chromium --headless` run here?",
        ) from error
    finally:
        kaleido.stop_sync_server(silence_warnings=True)


def _size(figure: FigureBlock) -> dict[str, int]:
    width = max(_WIDTH_PX, figure.min_width_px)
    return {
        "width": min(width, figure.max_width_px or width),
        "height": figure.height_px,
    }


def _painted(figure: FigureBlock, colours: dict[str, str]) -> dict[str, Any]:
    """Return the figure with colours for names of colours, on white."""
    painted: dict[str, Any] = _with_colours(figure.spec, colours)
    return {
        "data": painted["data"],
        "layout": {**painted["layout"], "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"},
    }


def _with_colours(value: Any, colours: dict[str, str]) -> Any:  # noqa: ANN401 - as deep as it comes
    if isinstance(value, dict):
        return {key: _with_colours(item, colours) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_colours(item, colours) for item in value]
    match = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
    return colours[match[1]] if match else value


def _colours() -> dict[str, str]:
    """Return the colours of the stylesheet on light ground, by name."""
    style = (files("tracemap.report") / "templates" / "page.css").read_text(encoding="utf-8")
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", style.partition("}")[0]))
