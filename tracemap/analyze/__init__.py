"""Analyze: facts of a window and its baseline become findings. Pure: no I/O, no clock, no SQL."""

from __future__ import annotations
