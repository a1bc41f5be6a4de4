"""In which language a page is written, and how it says things in it.

Messages are looked up by their English text. What has no translation is shown in English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Language(StrEnum):
    """Those that pages can be had in."""

    EN = "en"
    ZH = "zh"


_BY_TAG = {"en": Language.EN, "zh": Language.ZH}


def message(text: str) -> str:
    """Marks a text in the code that is to be translated where it is shown."""
    return text


def choose_language(asked: str, accept: str) -> Language:
    """What was asked for by name, else the one of Accept-Language with the highest weight.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4
    """
    if asked in _BY_TAG:
        return _BY_TAG[asked]
    best, best_weight = Language.EN, 0.0
    for item in accept.split(","):
        tag, _, parameter = item.partition(";")
        language = _BY_TAG.get(tag.strip().lower().partition("-")[0])
        weight = _weight(parameter)
        if language and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Translation:
    """One language's texts by their English ones."""

    language: Language
    texts: Mapping[str, str] = field(default_factory=dict)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        return self.texts.get(text, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The text for that many. Chinese has one form; it is kept under the plural."""
        return self.texts.get(many) or (one if count == 1 else many)
