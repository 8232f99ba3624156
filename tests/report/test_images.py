from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.report import believable
from tests.report.browser import executable
from tracemap.errors import PipelineError
from tracemap.report import build, images

needs_chromium = pytest.mark.skipif(executable() is None, reason="no Chromium: `make browser`")


@needs_chromium
@pytest.mark.slow
def test_every_figure_becomes_a_picture(tmp_path: Path) -> None:
    """In light colours, named after the recipe and the figure."""
    pytest.importorskip("kaleido")
    report = build(believable.incident())
    written = [path for path in report.write(tmp_path, pictures=["svg"]) if path.suffix == ".svg"]

    assert [path.name for path in written] == [
        f"postmortem-{figure.id.removesuffix('-figure')}.svg" for figure in report.view.figures
    ]
    for path in written:
        text = path.read_text()
        assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
        assert "var(--" not in text


def test_without_kaleido_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is computed."""
    monkeypatch.setattr(images, "find_spec", lambda _: None)
    with pytest.raises(PipelineError, match="kaleido is not installed") as refused:
        images.require()

    assert "otel-tracemap[image]" in (refused.value.hint or "")


def test_without_a_browser_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded; the hint says what to install."""
    chromium = pytest.importorskip("choreographer.browsers.chromium").Chromium
    monkeypatch.setattr(chromium, "find_browser", lambda **_: None)
    with pytest.raises(PipelineError, match="there is no Chromium or Chrome"):
        images.require()
