from __future__ import annotations

import ast
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2.ext import extract_from_ast

import auditd.audit.checks
from auditd.alerting.rules import Rules
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.plugin import load_plugins
from auditd.web.pages.language import Language, Translation, choose_language
from auditd.web.pages.site import load_site

ROOM = Path(str(files("auditd.web.pages")))
FIELD = re.compile(r"%\((\w+)\)[sd]")


def said_in_templates() -> set[str]:
    """Of a text with a plural only that, which is what the catalogue has."""
    environment = load_site().environment(Language.EN)
    found = set[str]()
    for file in (ROOM / "templates").iterdir():
        source = file.read_text("utf-8")
        for _, function, texts in extract_from_ast(environment.parse(source), babel_style=False):
            text = texts[function == "ngettext"] if texts else None
            assert isinstance(text, str)
            found.add(text)
    return found


def said_in_code() -> set[str]:
    return {
        call.args[0].value
        for file in ROOM.glob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "message"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def said_of_checks() -> set[str]:
    plugins = load_plugins(auditd.audit.checks, "servicestage_auditd.checks")
    built_in = {
        plugin.build(plugin.options()).description
        for plugin in plugins.values()
        if plugin.name != "policy"  # its users write their own
    }
    return {*built_in, Rules(checks={}).rule_of(BLIND_CHECK).description}


def test_every_message_is_there_in_chinese_and_none_is_left_over() -> None:
    said = said_in_templates() | said_in_code() | said_of_checks()
    assert len(said) > 150
    translated = load_site().translations[Language.ZH].texts
    assert said - translated.keys() == set()
    assert translated.keys() - said == set()


def test_a_translation_has_the_fields_of_its_text_and_no_markup() -> None:
    for text, translated in load_site().translations[Language.ZH].texts.items():
        assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(translated)), text
        assert not re.search(r"[<>&]", text + translated), text


@pytest.mark.parametrize(
    ("asked", "accept", "language"),
    [
        ("", "", Language.EN),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("", "en-US,en;q=0.9,zh;q=0.8", Language.EN),
        ("", "fr, zh-TW;q=0.3", Language.ZH),
        ("", "zh;q=0, en;q=0.1", Language.EN),
        ("", "zh;q=oops", Language.EN),
        ("", "zh;level=1", Language.ZH),
        ("", ";;q=,,=", Language.EN),
        ("en", "zh", Language.EN),
        ("zh", "en", Language.ZH),
        ("tlh", "zh", Language.ZH),
    ],
)
def test_the_language_asked_for_wins_then_the_preferred_one(
    asked: str, accept: str, language: Language
) -> None:
    assert choose_language(asked, accept) is language


def test_what_has_no_translation_is_english() -> None:
    empty = Translation(Language.ZH)
    assert empty.gettext("Fleet") == "Fleet"
    assert [empty.ngettext("one", "many", count) for count in (0, 1, 2)] == ["many", "one", "many"]
