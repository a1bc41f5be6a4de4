"""Templates, translations and assets, read once before anything is served.

Templates are compiled when the first page of a language is asked for: that takes a tenth of a
second and some megabytes, and many a daemon is only ever scraped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import yaml

from auditd.web.pages.asset import Asset, read_assets
from auditd.web.pages.language import Language, Translation

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@dataclass(frozen=True, slots=True)
class Site:
    """What pages are made of."""

    templates: Mapping[str, str]
    """As they are written, by file name."""
    translations: Mapping[Language, Translation]
    assets: Mapping[str, Asset]
    """By file name."""
    _environments: dict[Language, Environment] = field(default_factory=dict)
    _compiling: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def template(self, language: Language, name: str) -> Template:
        """Raises jinja2.TemplateNotFound."""
        async with self._compiling:
            if language not in self._environments:
                compiled = await asyncio.to_thread(self.environment, language)
                self._environments[language] = compiled
        return self._environments[language].get_template(name)

    def environment(self, language: Language) -> Environment:
        """All templates of a language, compiled. It blocks.

        Raises:
            jinja2.TemplateSyntaxError: a template is wrong.
        """
        return _environment(self.templates, self.translations[language])


def load_site() -> Site:
    """Read all. It blocks; call it in a thread."""
    room = files("auditd.web.pages")
    templates = {
        file.name: file.read_text(encoding="utf-8") for file in (room / "templates").iterdir()
    }
    translations = {
        Language.EN: Translation(Language.EN),
        Language.ZH: _translation(Language.ZH, room / "translations"),
    }
    return Site(templates, translations, read_assets(room / "static"))


def _translation(language: Language, folder: Traversable) -> Translation:
    text = (folder / f"{language}.yaml").read_text(encoding="utf-8")
    return Translation(language, yaml.load(text, yaml.CSafeLoader))


def _environment(templates: Mapping[str, str], translation: Translation) -> Environment:
    from jinja2 import DictLoader, Environment, StrictUndefined  # noqa: PLC0415 -- see the module

    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by ext.i18n
        translation.gettext, translation.ngettext, newstyle=True
    )
    for name in templates:
        environment.get_template(name)
    return environment
