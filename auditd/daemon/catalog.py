"""Which checks and which kinds of credential there are, installed extensions included."""

from __future__ import annotations

from auditd.audit import checks
from auditd.audit.plugin import load_plugins
from auditd.config.settings import Catalog
from auditd.hooks import kinds
from auditd.servicestage import credentials
from auditd.servicestage.regions import known_regions


def load_catalog() -> Catalog:
    """All that a configuration may name.

    Raises:
        ValueError: two extensions have the same name.
    """
    return Catalog(
        checks=load_plugins(checks, "servicestage_auditd.checks"),
        credentials=load_plugins(credentials, "servicestage_auditd.credentials"),
        hooks=load_plugins(kinds, "servicestage_auditd.hooks"),
        known_regions=known_regions(),
    )
