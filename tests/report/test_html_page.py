from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from tests.report import believable
from tracemap.model import Findings
from tracemap.report import build
from tracemap.report.definitions import DEFINITIONS
from tracemap.report.html_page import breakable

SITUATIONS = {
    "postmortem": believable.incident,
    "batch": lambda: believable.incident("batch"),
    "quiet": believable.quiet,
    "insufficient": believable.insufficient,
    "nothing": believable.nothing,
    "hostile": believable.hostile,
}


class Parsed(HTMLParser):
    """What a browser would see: elements with attributes, scripts, text."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self.findings = findings
        self.html = build(findings).html()
        self._inside = ""
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def values(self, attribute: str) -> list[str]:
        """Every value of an attribute."""
        return [attributes[attribute] or "" for _, attributes in self.elements
                if attribute in attributes]  # fmt: skip

    def data(self) -> dict[str, dict[str, object]]:
        """The values the page's script works on."""
        made: dict[str, dict[str, object]] = json.loads(self.scripts[0])
        return made


@pytest.fixture(scope="module", params=SITUATIONS)
def parsed(request: pytest.FixtureRequest) -> Parsed:
    return Parsed(SITUATIONS[request.param]())


def test_nothing_is_fetched_from_anywhere(parsed: Parsed) -> None:
    """It must open on a train, from an e-mail, in ten years."""
    assert parsed.values("src") == []
    assert all(target.startswith("#") for target in parsed.values("href"))
    assert not {tag for tag, _ in parsed.elements} & {"link", "img", "iframe", "object", "base"}


def test_the_policy_allows_the_pages_own_scripts_and_no_network(parsed: Parsed) -> None:
    """By their hashes: a script that anybody else put there would not run."""
    policy = next(
        attributes["content"] or ""
        for tag, attributes in parsed.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    allowed = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in parsed.scripts[1:]
    }

    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert set(re.findall(r"sha256-([^']+)", policy)) == allowed
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_names_stay_text(parsed: Parsed) -> None:
    """No element and no handler comes from a name."""
    assert not [name for _, attributes in parsed.elements for name in attributes
                if name.startswith("on")]  # fmt: skip
    assert [tag for tag, _ in parsed.elements].count("script") == len(parsed.scripts)


def test_hostile_names_are_shown_as_they_are() -> None:
    """Inert, but not hidden: the reader should see what the traces say."""
    parsed = Parsed(believable.hostile())

    assert believable.HOSTILE[0] in parsed.text
    assert "\u202e" not in parsed.html.split("<script>")[0]
    assert "pay\\u202ement" in parsed.text


def test_every_section_has_its_anchor_and_its_link(parsed: Parsed) -> None:
    """Every link leads somewhere; every id exists once."""
    ids = parsed.values("id")
    targets = {target.removeprefix("#") for target in parsed.values("href")}
    labels = {part for name in ("aria-labelledby", "aria-describedby")
              for value in parsed.values(name) for part in value.split()}  # fmt: skip
    sections = [attributes["id"] for tag, attributes in parsed.elements if tag == "section"]

    assert len(ids) == len(set(ids))
    assert targets | labels <= set(ids)
    assert set(sections) <= targets


def test_tables_and_figures_speak_to_a_screen_reader(parsed: Parsed) -> None:
    """Captions, scopes, and words beside every figure; one main heading; a way to skip."""
    tags = [tag for tag, _ in parsed.elements]
    heads = [attributes for tag, attributes in parsed.elements if tag == "th"]

    assert tags.count("h1") == tags.count("main") == tags.count("nav") == 1
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for attributes in heads)
    assert parsed.values("href")[0] == "#main"
    assert parsed.values("role").count("img") == len(parsed.data()["figures"])


def test_definitions_are_in_the_page() -> None:
    """It is offline: the meaning of a number cannot be behind a link."""
    parsed = Parsed(believable.incident())

    assert "offered = change of (calls per request x mean duration of a call)" in parsed.text
    assert set(parsed.values("id")) & set(DEFINITIONS) >= {"offered", "arrived", "verdict", "gap"
                                                           } - {"gap"}  # fmt: skip


def test_the_same_findings_make_the_same_bytes(parsed: Parsed) -> None:
    """Two people who compare reports compare findings, not clocks."""
    assert build(parsed.findings).html() == parsed.html


def test_when_a_file_was_read_changes_nothing() -> None:
    """The ledger's clock is not part of the input."""
    findings = believable.incident()
    before = (build(findings).html(), build(findings).json(), build(findings).markdown())
    files = findings.ledger.files
    findings.ledger.files = files.with_columns(ingested_at=files["ingested_at"] + "later")

    assert (build(findings).html(), build(findings).json(), build(findings).markdown()) == before


def test_long_tables_are_whole_in_the_page_but_short_at_first() -> None:
    """500 services and 5,000 edges: under 8 MB; how long it takes is a benchmark."""
    findings = believable.large()
    html = build(findings).html()
    parsed = Parsed(findings)
    edges = parsed.data()["tables"]["edges-table"]
    assert isinstance(edges, dict)

    assert len(html.encode()) < 8_000_000
    assert len(edges["rows"]) == findings.tables["edges"].height
    assert [tag for tag, _ in parsed.elements].count("tr") < 250


def test_a_page_without_figures_carries_no_plotting() -> None:
    """4.8 MB less to send."""
    assert len(build(believable.nothing()).html()) < 60_000


def test_long_names_may_be_broken_at_their_parts() -> None:
    """An operation is one long word to a browser; what strangers put in a name stays text."""
    assert breakable("shop.Cart/Add") == "shop.<wbr>Cart/<wbr>Add"
    assert breakable("a//<b>_") == "a//<wbr>&lt;b&gt;_"
