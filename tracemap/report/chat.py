"""Sentences and names for a chat: quoted, short, with nothing that a chat acts on."""

from __future__ import annotations

from tracemap.report.blocks import Name, Sentence
from tracemap.report.names import shortened, visible

NAME_LENGTH = 60
_INERT = str.maketrans({"`": "'", "<": "\u2039", ">": "\u203a"})
"""What ends a code span, or begins a command or a link in a chat."""


def in_chat(parts: Sentence) -> str:
    """Return a sentence with its names quoted and everything escaped that a chat would act on."""
    return "".join(
        quoted(part.text) if isinstance(part, Name) else part.translate(_INERT) for part in parts
    )


def quoted(name: str, length: int = NAME_LENGTH) -> str:
    """Return a name between backticks, shortened to so many characters."""
    return f"`{shortened(visible(name), length).translate(_INERT)}`"
