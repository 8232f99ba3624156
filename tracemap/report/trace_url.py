"""Links from a report to traces in the tracing back end, made from a template."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tracemap.errors import PipelineError

PLACE = "{trace_id}"
_HEX = re.compile(r"[0-9a-f]{1,32}")
_SAFE = re.compile(r"[\w\-.~:/?#\[\]@!$&'()*+,;=%{}]+", re.ASCII)


def checked(template: str) -> str:
    """Return the template of a link to a trace, if it is one.

    Args:
        template: An address with ``{trace_id}`` in it; '': no links.

    Raises:
        PipelineError: If it is not http or https, lacks the place of the id, or holds what does
            not belong into an address.
    """
    if not template:
        return ""
    wrong = ""
    if PLACE not in template:
        wrong = f"it lacks {PLACE}"
    elif not _SAFE.fullmatch(template):
        wrong = "it holds characters that do not belong into an address"
    elif not _is_web(template):
        wrong = "it is no http or https address"
    if wrong:
        raise PipelineError(
            f"{template!r} is no template of a link to a trace: {wrong}",
            where="--trace-url",
            hint="such as --trace-url 'https://jaeger.example/trace/{trace_id}'",
        )
    return template


def linked(template: str, trace_id: str) -> str:
    """Return the address of a trace; '' without a template, or where `trace_id` is no id."""
    if not template or not _HEX.fullmatch(trace_id):
        return ""
    return template.replace(PLACE, trace_id)


def _is_web(template: str) -> bool:
    try:
        parts = urlsplit(template)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and PLACE not in parts.netloc
