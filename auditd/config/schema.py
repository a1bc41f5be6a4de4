"""The configuration described for editors and other tools."""

from __future__ import annotations

from typing import Any

from auditd.config.alerting import LINK
from auditd.config.discovery import DISCOVERY
from auditd.config.exception import ExceptionEntry
from auditd.config.form import described
from auditd.config.project_terms import ProjectEntry
from auditd.config.reading import Form
from auditd.config.record import form_of
from auditd.config.route import ROUTE
from auditd.config.settings import Catalog, GlobalSettings, HeartbeatSettings, StorageSettings
from auditd.config.time_interval import TIME_INTERVAL


def json_schema(catalog: Catalog) -> dict[str, Any]:
    """A JSON Schema, draft 2020-12, of the configuration with these plugins."""
    definitions: dict[str, Any] = {}

    def of(form: Form[Any]) -> dict[str, Any]:
        return form.schema(definitions)

    checks = {name: _nullable(of(form_of(check.options))) for name, check in catalog.checks.items()}
    alerting = _section(
        "Who is told of alerts, how, and when.",
        route=of(ROUTE),
        hooks=_list("Where alerts can go.", of(catalog.hook_form)),
        time_intervals=_list("Named times.", of(TIME_INTERVAL)),
        runbook_url=of(described(LINK, "The page that alerts link to, or empty for none.")),
        console_url=of(described(LINK, "The ServiceStage console, or empty for no link.")),
    )
    sections = _section(
        "The configuration of servicestage-auditd.",
        include=_list("Globs of files whose sections are added.", {"type": "string"}),
        **{"global": of(form_of(GlobalSettings))},
        credentials=_list("How to log in to Huawei Cloud.", of(catalog.credential_form)),
        projects=_list("Projects to watch.", of(form_of(ProjectEntry))),
        discovery=_list("Where more projects come from.", of(DISCOVERY)),
        checks=_section("A check that is not named runs with its defaults.", **checks),
        exceptions=_list("Findings that are accepted for a while.", of(form_of(ExceptionEntry))),
        alerting=alerting,
        storage=of(form_of(StorageSettings)),
        heartbeat=_nullable(of(form_of(HeartbeatSettings))),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "servicestage-auditd",
        "$defs": definitions,
        **sections,
    }


def _list(description: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "type": ["array", "null"], "items": items}


def _section(description: str, **properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}
