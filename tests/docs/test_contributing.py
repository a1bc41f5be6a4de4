"""The pages for contributors, followed to the letter: files saved, installed, and put to work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import yaml

from tests.docs.blocks import ROOT, blocks, consoles
from tests.docs.commands import steps
from tests.docs.sandbox import Sandbox

pytestmark = pytest.mark.timeout(240)

PAGES = ROOT / "docs" / "contributing"
KINDS = {"check": "checks", "hook": "hooks", "credential": "credentials"}


@pytest.mark.parametrize("name", KINDS)
def test_whoever_follows_a_page_has_a_plugin_that_works(
    name: str, machine: Callable[[], AbstractContextManager[Sandbox]]
) -> None:
    with machine() as reader:
        reader.follow(consoles(PAGES / f"{name}.md"))
        assert [*reader.directory.glob("acme-*/trial/*.dist-info/entry_points.txt")]


@pytest.mark.parametrize("name", KINDS)
def test_all_code_of_a_page_is_saved_and_put_to_work(name: str) -> None:
    page = blocks(PAGES / f"{name}.md")
    assert [
        block for block in page if block.language in {"python", "toml"} and not block.saved_as
    ] == []
    manifest = next(block.text for block in page if block.saved_as == "pyproject.toml")
    assert f'entry-points."servicestage_auditd.{KINDS[name]}"' in manifest
    commands = [
        step.command for block in page if block.language == "console" for step in steps(block)
    ]
    assert any(
        "servicestage-auditd check" in it or "servicestage-auditd run" in it for it in commands
    )


def test_a_form_for_issues_asks_for_each_thing_once() -> None:
    forms = [*(ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yaml")]
    assert forms
    for form in forms:
        content = yaml.safe_load(form.read_text())
        assert {"name", "description", "body"} <= content.keys()
        asked = [item for item in content["body"] if item["type"] != "markdown"]
        assert len({item["id"] for item in asked}) == len(asked)
        assert all(item["attributes"]["label"] for item in asked)
