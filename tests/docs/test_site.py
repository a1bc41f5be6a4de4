"""The site can be made, and its links lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.blocks import ROOT

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("site")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, made as `make docs` makes them: a warning is an error."""
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-Wnqb", "html", ROOT / "docs", place],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return place


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.anchors |= {named.get("id", "")}
        self.links += [named[name] for name in ("href", "src") if name in named]


def read(site: Path) -> dict[Path, _Page]:
    found = {path: _Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    return {path: page for path, page in found.items() if path.name != "search.html"}


def dead_links(pages: dict[Path, _Page]) -> Iterator[str]:
    for path, page in pages.items():
        for link in map(urlsplit, page.links):
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path
            anchors = pages[target].anchors if target in pages else None
            is_dead = not target.exists() or (
                link.fragment and anchors is not None and unquote(link.fragment) not in anchors
            )
            if is_dead:
                yield f"{path.name}: {link.geturl()}"


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    pages = read(site)
    assert len(pages) > 20
    assert list(dead_links(pages)) == []


def test_a_dead_link_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#there">1</a> <a href="c.html">2</a>')
    (tmp_path / "b.html").write_text('<p id="here">')
    assert sorted(dead_links(read(tmp_path))) == ["a.html: b.html#there", "a.html: c.html"]


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        assert 'src="http' not in text, path
        assert 'rel="stylesheet" href="http' not in text, path


def test_every_page_can_be_found_from_the_first(site: Path) -> None:
    start = site / "index.html"
    pages = {path.resolve(): page for path, page in read(site).items()}
    seen, waiting = set(), [start.resolve()]
    while waiting:
        path = waiting.pop()
        if path in seen or path not in pages:
            continue
        seen.add(path)
        links = (urlsplit(link) for link in pages[path].links)
        waiting += [
            (path.parent / unquote(link.path)).resolve()
            for link in links
            if link.path and not link.scheme
        ]
    assert {path.name for path in pages.keys() - seen} == set()
