"""Engines run `derive` over a store: `local` in bounded memory, trace bucket by trace bucket."""

from __future__ import annotations
