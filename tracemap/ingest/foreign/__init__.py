"""Formats of other tools, translated record by record into OTLP.

Each module knows one tool: how its files are recognised, and what one of its records is
in OTLP's words (`translate`). What follows (ids, names, secrets, quality, rejects) is shared with
OTLP/JSON. `records` says what a translation is made of, `translated` runs it over a file.
"""

from __future__ import annotations
