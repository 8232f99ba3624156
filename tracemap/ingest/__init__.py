"""Ingest: any trace file becomes `SPANS` batches and a ledger of what could not be taken."""

from __future__ import annotations
