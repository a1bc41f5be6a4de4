"""What guides list is all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from auditd.daemon.catalog import load_catalog
from auditd.servicestage.regions import known_regions
from tests.docs.blocks import ROOT, blocks

DOCS = ROOT / "docs"


def headings(page: Path) -> list[str]:
    return re.findall(r"(?m)^## (.+)$", page.read_text("utf-8"))


def test_every_kind_of_hook_has_a_section_and_an_example() -> None:
    kinds = load_catalog().hooks.keys()
    assert set(headings(DOCS / "hooks.md")) - {"Texts of your own"} == kinds
    found = {
        hook["type"]
        for block in blocks(DOCS / "hooks.md")
        if block.language == "yaml"
        for hook in yaml.safe_load(block.text)["alerting"]["hooks"]
    }
    assert found == kinds


def test_every_kind_of_credential_is_compared() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", text_of("permissions.md"))
    assert set(rows) == load_catalog().credentials.keys()


def test_every_room_is_in_the_house() -> None:
    rooms = {path.parent.name for path in (ROOT / "auditd").glob("*/__init__.py")}
    told = re.findall(r"(?m)^\| `(\w+)` \|", text_of("architecture.md"))
    assert rooms <= set(told)
    drawn = (DOCS / "images" / "house.svg").read_text("utf-8")
    assert {room for room in rooms if f">{room}<" not in drawn} == set()


def test_the_regions_of_examples_exist() -> None:
    named = {
        region
        for page in DOCS.glob("*.md")
        for region in re.findall(r"region: ([a-z]+-[a-z0-9-]+)", page.read_text("utf-8"))
    }
    assert named
    assert named <= known_regions()


def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")
