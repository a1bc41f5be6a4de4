"""The configuration described for editors and other tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from auditd.config.alerting import HOOKS, ROUTE, TIME_INTERVAL
from auditd.config.discovery import DISCOVERY_ENTRIES
from auditd.config.load import EXCEPTION, GLOBAL, STORAGE
from auditd.config.project_terms import PROJECT_ENTRY
from auditd.config.settings import Catalog
from auditd.config.shape import Shape

_REFERENCE = {"type": "string", "pattern": r"\$\{"}


def json_schema(catalog: Catalog) -> dict[str, Any]:
    """A JSON Schema, draft 2020-12, of the configuration with these plugins."""
    credentials = catalog.credential_shapes
    checks = catalog.check_shapes
    named: dict[str, Shape[Any]] = {
        "global": GLOBAL,
        "project": PROJECT_ENTRY,
        "exception": EXCEPTION,
        "storage": STORAGE,
        "route": ROUTE,
        "time_interval": TIME_INTERVAL,
        **_prefixed("credential", credentials),
        **_prefixed("discovery", DISCOVERY_ENTRIES),
        **_prefixed("hook", HOOKS),
        **_prefixed("check", checks),
    }
    schemas, definitions = TypeAdapter.json_schemas(
        [(name, "validation", shape.adapter) for name, shape in named.items()],
        schema_generator=_WithReferences,
    )
    parts = {name: schema for (name, _), schema in schemas.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "servicestage-auditd",
        "$defs": definitions.get("$defs", {}),
        **_section(
            "The configuration of servicestage-auditd.",
            include=_list("Globs of files whose sections are added.", {"type": "string"}),
            **{"global": parts["global"]},
            credentials=_list(
                "How to log in to Huawei Cloud.", _one_of(parts, "credential", credentials)
            ),
            projects=_list("Projects to watch.", parts["project"]),
            discovery=_list(
                "Where more projects come from.", _one_of(parts, "discovery", DISCOVERY_ENTRIES)
            ),
            checks=_section(
                "The options of checks; one that is not named runs with its defaults.",
                **{name: _nullable(parts[f"check/{name}"]) for name in checks},
            ),
            exceptions=_list("Findings that are accepted for a while.", parts["exception"]),
            alerting=_section(
                "Who is told of alerts, how, and when.",
                route=parts["route"],
                hooks=_list("Where alerts can go.", _one_of(parts, "hook", HOOKS)),
                time_intervals=_list("Named times.", parts["time_interval"]),
            ),
            storage=parts["storage"],
        ),
    }


class _WithReferences(GenerateJsonSchema):
    """Text with `${VAR}` may stand for a number, a truth value or one of several words."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return {"anyOf": [super().int_schema(schema), _REFERENCE]}

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {"anyOf": [super().float_schema(schema), _REFERENCE]}

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"anyOf": [super().bool_schema(schema), _REFERENCE]}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return {"anyOf": [super().enum_schema(schema), _REFERENCE]}


def _prefixed(prefix: str, shapes: Any) -> dict[str, Shape[Any]]:
    return {f"{prefix}/{name}": shape for name, shape in shapes.items()}


def _one_of(
    parts: dict[str, JsonSchemaValue], prefix: str, names: Iterable[str]
) -> JsonSchemaValue:
    return {"oneOf": [parts[f"{prefix}/{name}"] for name in names]}


def _list(description: str, items: JsonSchemaValue) -> JsonSchemaValue:
    return {"description": description, "type": ["array", "null"], "items": items}


def _section(description: str, **properties: JsonSchemaValue) -> JsonSchemaValue:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, {"type": "null"}]}
