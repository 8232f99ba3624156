"""The remark that a section is about only a part of the window."""

from __future__ import annotations

from tracemap.report.blocks import Note, remark
from tracemap.report.story import Story
from tracemap.report.words import span_of


def about_part(story: Story) -> list[Note]:
    """Return which part of the window was compared; nothing where it was all of it."""
    if story.part is None:
        return []
    return [
        remark(
            f"This is about {span_of(story.part)}, the spike that was compared with the baseline, "
            "not about the rest of the window."
        )
    ]
