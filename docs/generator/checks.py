"""The checks, as their plug-ins describe them."""

from __future__ import annotations

from auditd.audit.blind import BLIND_ALERT, BLIND_CHECK, BLIND_SEVERITY
from auditd.daemon.catalog import load_catalog
from docs.generator.markdown import code, codes, prose

_INTRODUCTION = """# Checks

What is found of each Git authorization. A check that the configuration does not name runs with its
defaults; `enabled: false` turns it off. Its keys are in
[the configuration](configuration.md#checks), and what to do about each alert is in
[the runbooks](../runbooks.md).

"""


def page() -> str:
    """The page."""
    text = _INTRODUCTION
    for name, plugin in load_catalog().checks.items():
        check = plugin.build(plugin.options())
        text += f"## `{name}`\n\n{check.description}\n\n"
        text += _facts(check.alertname, check.severity)
        text += f"- looks at: {codes(check.inputs) or 'what its expressions name'}\n"
        text += f"- {prose(plugin.options)}\n\n"
    return text + _blind()


def _facts(alertname: str, severity: str) -> str:
    link = f"[`{alertname}`](../runbooks.md#{alertname.lower()})"
    return f"- alertname: {link}\n- severity, unless configured: {code(severity)}\n"


def _blind() -> str:
    return (
        f"## `{BLIND_CHECK}`\n\nNot of an authorization but of a project: `global.blind_after`"
        " polls in a row failed, so that nothing is known of it. It has no keys under `checks`,"
        " cannot be turned off, and keeps the project's other alerts from being told meanwhile.\n\n"
        + _facts(BLIND_ALERT, BLIND_SEVERITY)
    )
