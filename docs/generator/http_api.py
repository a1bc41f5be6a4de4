"""The HTTP API, as docs/openapi.json has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.generator.markdown import code, codes, for_readers, table

Schema = Mapping[str, Any]

_INTRODUCTION = """# HTTP API

{description}

The document behind this page is {{download}}`openapi.json <../openapi.json>`; a daemon serves its
own at `/api/v1/openapi.json`. An answer is `{{"status": "success", "data": ...}}`, an error
`{{"status": "error", "errorType": ..., "error": ...}}`. Who may ask is up to `--web.config.file`;
see [the security model](../security-model.md). Requests that change something need a JSON body with
the content type `application/json`, be it `{{}}`.

Beside the API the daemon serves:

| path | serves |
| --- | --- |
| `/` | the page for people |
| `/metrics` | [the metrics](metrics.md), as Prometheus text or OpenMetrics |
| `/-/healthy` | 200 while the process answers |
| `/-/ready` | 200 once every project was tried and the state can be written, else 503 and why |
| `POST /-/reload` | a reload, with `--web.enable-lifecycle` |
| `/probe?target=PROJECT` | the metrics of a project that is polled now, in the scraper's time |

"""
_MEANINGS = {
    "alertname": "Only alerts of this name; of several any.",
    "authorization": "The name of an authorization.",
    "check": "Only what this check finds; of several any.",
    "hook": "The name of a hook.",
    "id": "As it is listed: of alerts the fingerprint.",
    "project": "The name of a project; of several any.",
    "severity": "Only this severity; of several any.",
    "since": "Only what came later.",
    "state": "Only what is in this state; of several any.",
    "status": "Only this status; of several any.",
}
"""Of parameters that need no more words in the document."""


def page(document: Path) -> str:
    """The page."""
    api = json.loads(document.read_text("utf-8"))
    text = _INTRODUCTION.format(description=api["info"]["description"])
    for path, operations in api["paths"].items():
        for method, operation in operations.items():
            text += "".join(_operation(f"{method.upper()} {path}", operation))
    text += "## Values\n\n"
    for name, schema in api["components"]["schemas"].items():
        text += f"({name.lower()})=\n### {name}\n\n" + _value(schema)
    return text


def _operation(heading: str, operation: Schema) -> Iterator[str]:
    yield f"## `{heading}`\n\n{operation['summary']}\n\n"
    if parameters := operation.get("parameters"):
        yield table(
            ("parameter", "in", "type", "default", "meaning"),
            (
                (
                    code(one["name"]),
                    one["in"],
                    _type(one["schema"]),
                    _default(one["schema"]),
                    one.get("description") or _MEANINGS.get(one["name"], ""),
                )
                for one in parameters
            ),
        )
    if body := operation.get("requestBody"):
        yield f"Body: {_type(_json(body))}.\n\n"
    answers = operation["responses"]
    data = _data(_json(answers["200"]))
    errors = codes(sorted({*answers} - {"200"}))
    yield f"Answer: {_type(data) if data else 'none'}. Errors: {errors}.\n\n"


def _json(holder: Schema) -> Schema:
    schema: Schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _data(schema: Schema) -> Schema:
    """Without the envelope, where there is one."""
    inner: Schema = schema.get("properties", {}).get("data", schema)
    return inner


def _value(schema: Schema) -> str:
    told = f"{for_readers(schema.get('description', ''))}\n\n"
    if "enum" in schema:
        return f"{told}One of {codes(schema['enum'])}.\n\n"
    if not schema.get("properties"):
        return told
    required = {*schema.get("required", ())}
    return told + table(
        ("field", "type", "meaning"),
        (
            (
                code(name) + ("" if name in required else " (may be left out)"),
                _type(field),
                for_readers(field.get("description", "")),
            )
            for name, field in schema["properties"].items()
        ),
    )


def _type(schema: Schema) -> str:  # noqa: PLR0911 -- one case a kind of schema
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"enum": words}:
            return codes(words)
        case {"const": value}:
            return code(value)
        case {"anyOf": choices} | {"oneOf": choices}:
            return " or ".join(map(_type, choices))
        case {"type": "array", "items": item}:
            return f"list of {_type(item)}"
        case {"type": "object", "additionalProperties": Mapping() as value}:
            return f"mapping of {_type(value)}"
        case {"format": name}:
            return str(name)
        case {"type": list(names)}:
            return " or ".join(names)
        case {"type": name}:
            return str(name)
    return "anything"


def _default(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value in (None, "", []) else code(json.dumps(value))
