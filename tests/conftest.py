"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.report.browser import executable

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None)
settings.load_profile(os.environ.get("TRACEMAP_HYPOTHESIS", "same"))
"""No deadline: a test that shares its machine is not wrong for being slow. The examples are the
same each time, so that a red run says something about the change; `make fuzz` looks for others."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that nobody looked at the pages, where nobody could."""
    if executable() is None:
        terminalreporter.write_line(
            "NO BROWSER: reports were not opened, no Chromium found (`make browser` installs it)",
            yellow=True,
            bold=True,
        )
