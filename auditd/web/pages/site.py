"""Templates, translations and assets, read once before anything is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import yaml
from jinja2 import DictLoader, Environment, StrictUndefined, Template

from auditd.web.pages.asset import Asset, read_assets
from auditd.web.pages.language import Language, Translation


@dataclass(frozen=True, slots=True)
class Site:
    """What pages are made of."""

    environments: Mapping[Language, Environment]
    translations: Mapping[Language, Translation]
    assets: Mapping[str, Asset]
    """By file name."""

    def template(self, language: Language, name: str) -> Template:
        """Raises jinja2.TemplateNotFound."""
        return self.environments[language].get_template(name)


def load_site() -> Site:
    """Read all and compile the templates. It blocks; call it in a thread.

    Raises:
        jinja2.TemplateSyntaxError: a template is wrong.
    """
    room = files("auditd.web.pages")
    templates = {
        file.name: file.read_text(encoding="utf-8") for file in (room / "templates").iterdir()
    }
    translations = {
        Language.EN: Translation(Language.EN),
        Language.ZH: _translation(Language.ZH, room / "translations"),
    }
    environments = {
        language: _environment(templates, translation)
        for language, translation in translations.items()
    }
    return Site(environments, translations, read_assets(room / "static"))


def _translation(language: Language, folder: Traversable) -> Translation:
    text = (folder / f"{language}.yaml").read_text(encoding="utf-8")
    return Translation(language, yaml.safe_load(text))


def _environment(templates: Mapping[str, str], translation: Translation) -> Environment:
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
