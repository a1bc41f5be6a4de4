from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from auditd.config.example import example_text
from auditd.config.schema import json_schema
from auditd.config.settings import Catalog
from tests.unit.config.shipped import CATALOG

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def schema(catalog: Catalog) -> dict[str, Any]:
    return json_schema(catalog)


def errors(schema: dict[str, Any], text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    data = json.loads(json.dumps(yaml.load(text, yaml.BaseLoader)))
    return [error.json_path for error in validator.iter_errors(_numbers(data))]


def _numbers(data: Any) -> Any:
    """YAML 1.2 for the few kinds of values that these tests have."""
    match data:
        case dict():
            return {key: _numbers(value) for key, value in data.items()}
        case list():
            return [_numbers(value) for value in data]
        case "true" | "false":
            return data == "true"
        case str() if data.isdecimal():
            return int(data)
        case _:
            return None if data == "" else data


def test_it_is_a_schema_of_the_draft_it_names(schema: dict[str, Any]) -> None:
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    json.dumps(schema)


def test_text_from_the_environment_may_stand_for_numbers(schema: dict[str, Any]) -> None:
    assert errors(schema, "global: {concurrency: '${N}', proxy_from_environment: '${P}'}") == []
    assert errors(schema, "checks: {stale: {severity: '${S}'}}") == []
    assert errors(schema, "global: {concurrency: many}") == ["$.global.concurrency"]


@pytest.mark.parametrize(
    "case",
    [
        "unknown_section",
        "unknown_keys_everywhere",
        "missing_keys",
        "types",
        "wrong_types",
        "bounds",
        "durations",
        "alerting_keys",
        "secret_missing",
        "secret_twice",
    ],
)
def test_what_the_loader_refuses_an_editor_marks(schema: dict[str, Any], case: str) -> None:
    assert errors(schema, (GOLDEN / f"{case}.yaml").read_text())


def test_every_key_is_described() -> None:
    schema = json_schema(CATALOG)
    missing = [
        f"{definition['title']}.{key}"
        for definition in schema["$defs"].values()
        for key, value in definition.get("properties", {}).items()
        if "description" not in value and "$ref" not in value
    ]
    own = ("Global", "Tls", "Project", "Storage", "Route", "Iam", "File", "TimeSpan")
    assert [key for key in missing if key.startswith((*own, *CATALOG.hooks))] == []


def test_the_example_fits_the_schema() -> None:
    assert errors(json_schema(CATALOG), example_text()) == []
