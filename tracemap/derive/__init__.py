"""Derive: all spans of some whole traces become additive `FACTS`. Pure."""

from __future__ import annotations
