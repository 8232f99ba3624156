"""tracemap: from exported OpenTelemetry spans, who was slow, whom it hurt, and what stopped it."""

from __future__ import annotations

__version__ = "0.1.0"
