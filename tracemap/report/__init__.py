"""Report: findings become a view model, and from it HTML, Markdown and JSON."""

from __future__ import annotations
