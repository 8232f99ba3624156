from __future__ import annotations

import pytest

from tests.report import believable
from tests.report.test_html_page import Parsed
from tracemap.errors import PipelineError
from tracemap.report import build
from tracemap.report.trace_url import checked, linked

URL = "https://jaeger.example/trace/{trace_id}?a=1&b=2"
TRACE = "5b8efff798038103d269b633813fc60c"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("https://jaeger.example/trace/", "it lacks {trace_id}"),
        ("javascript:alert({trace_id})", "no http or https"),
        ("file:///etc/{trace_id}", "no http or https"),
        ("//jaeger.example/{trace_id}", "no http or https"),
        ("https://{trace_id}.example/", "no http or https"),
        ("https:///{trace_id}", "no http or https"),
        ("https://[{trace_id}", "no http or https"),
        ('https://x.example/{trace_id}"><img>', "do not belong into an address"),
        ("https://x.example/{trace_id}\n", "do not belong into an address"),
    ],
)
def test_what_is_no_address_of_a_trace_is_refused(template: str, why: str) -> None:
    """It ends up in a page that other people open."""
    with pytest.raises(PipelineError, match=why.replace("{", r"\{")) as refused:
        checked(template)

    assert "https://jaeger.example/trace/{trace_id}" in (refused.value.hint or "")


def test_only_an_id_is_put_into_the_address() -> None:
    """Exemplars are ids; a name that got there is text."""
    assert linked(URL, TRACE) == f"https://jaeger.example/trace/{TRACE}?a=1&b=2"
    assert linked(URL, "</script>") == linked("", TRACE) == ""


def test_traces_are_links_only_where_a_template_was_given() -> None:
    """Of the origins and of the exemplars; the page itself still asks for nothing."""
    page = build(believable.incident(), trace_url=URL).html()
    escaped = (
        f'<a href="https://jaeger.example/trace/{TRACE}?a=1&amp;b=2" rel="noopener noreferrer">'
    )

    assert page.count(escaped) >= 3
    assert not [href for href in Parsed(believable.incident()).values("href") if href[0] != "#"]


def test_markdown_links_traces_too() -> None:
    """A pull request is where people click."""
    made = build(believable.incident(), trace_url="https://jaeger.example/(a)/{trace_id}")

    assert f"[`{TRACE}`](<https://jaeger.example/(a)/{TRACE}>)" in made.markdown()
