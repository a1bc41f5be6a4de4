from __future__ import annotations

import asyncio

import pytest
from jinja2 import Environment, TemplateNotFound

from auditd.web.pages.language import Language
from auditd.web.pages.site import Site, load_site


class CountingSite(Site):
    """Counts how often templates are compiled."""

    compiled = 0

    def environment(self, language: Language) -> Environment:
        type(self).compiled += 1
        return super().environment(language)


@pytest.fixture
def site() -> Site:
    return load_site()


@pytest.mark.parametrize("language", Language)
def test_every_template_compiles_in_every_language(site: Site, language: Language) -> None:
    environment = site.environment(language)
    assert len(site.templates) > 5
    assert set(environment.list_templates()) == set(site.templates)


async def test_templates_are_compiled_once_though_many_pages_are_asked_for_at_once(
    site: Site,
) -> None:
    counting = CountingSite(site.templates, site.translations, site.assets)
    asked = (counting.template(Language.ZH, "error.html") for _ in range(10))
    first, *others = await asyncio.gather(*asked)
    assert all(other is first for other in others)
    assert counting.compiled == 1
    assert await counting.template(Language.EN, "error.html") is not first
    assert counting.compiled == 2


async def test_a_template_that_is_not_there_is_an_error_each_time(site: Site) -> None:
    for _ in range(2):
        with pytest.raises(TemplateNotFound):
            await site.template(Language.EN, "nothing.html")
