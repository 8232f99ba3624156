"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
"""No deadline: a test that shares its machine is not wrong for being slow. On CI the examples are
the same each time, so that a red run says something about the change."""
