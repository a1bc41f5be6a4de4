"""The configuration keys, as the JSON Schema has them, which is made from the declarations."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from auditd.alerting.route import Route, RouteSettings
from auditd.audit.duration import format_duration
from auditd.config.schema import json_schema
from auditd.config.secret import InlineSecret
from auditd.daemon.catalog import load_catalog
from docs.generator.markdown import code, codes, prose, table

Schema = Mapping[str, Any]

_INTRODUCTION = """# Configuration keys

Every key, with its type and default. [The guide](../configuration.md) says how a file is written;
`servicestage-auditd config example` prints one with all keys, and
`servicestage-auditd config schema` this page as a JSON Schema for editors.

A *duration* is written like `30s`, `5m`, `1h30m` or `90d`; a *size* like `8MiB`; a *pattern* is a
regular expression that must fit as a whole. **required** keys have no default. Of `KEY` and
`KEY_file` at most one may be given.

"""
_FORMATS = {"regex": "pattern", "date": "date or instant"}
_MEANINGS = {
    "enabled": "`false` turns the check off.",
    "severity": "Of what it finds.",
    "for": "How long a finding must stand before its alert fires.",
    "keep_firing_for": "How long the alert fires on after the finding has gone.",
    "max_age": "The age from which on it is stale; exactly this age is still fresh.",
    "tiers": "Greater ages with severities of their own; the greatest that is exceeded counts.",
    "overrides": "Other ages for some authorizations; the first that fits counts.",
    "match": "Which ones: every pattern must fit.",
    "tolerance": "How far in the future a time may lie; exactly that far is still fine.",
    "iam_endpoint": "The base URL of IAM, when it is not the region's own.",
    "access_key": "The access key id (AK).",
    "secret_key": "The secret access key (SK).",
    "security_token": "What comes with temporary keys.",
    "domain": "The name of the account.",
    "user": "The name of an IAM user of the account.",
    "password": "The password of the IAM user.",
    "token": "The value of X-Auth-Token.",
    "route": "Which hook is told of which alerts, and how they are grouped.",
    "start_time": "From when on, such as 08:00.",
    "end_time": "Until when, exclusive; 24:00 is the end of the day.",
}
"""Of keys whose declarations leave it to the text around them."""
_MATCHED = "A pattern for this field of the authorization or its project."


def page() -> str:
    """The page."""
    return _INTRODUCTION + "".join(_Sections(json_schema(load_catalog())).all())


class _Sections:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._told: set[str] = set()

    def all(self) -> Iterator[str]:
        """One section for each key at the top, with what it holds below it."""
        for name, section in self._schema["properties"].items():
            yield f"## `{name}`\n\n"
            if text := section.get("description"):
                yield f"{text}\n\n"
            if "properties" not in section:
                yield from self._records(name, section)
                continue
            if name != "checks":
                yield _table(self._rows(section))
            for key, inner in section["properties"].items():
                yield from self._records(f"{name}.{key}", inner)

    def _records(self, path: str, schema: Schema) -> Iterator[str]:
        """What the schema refers to, each record once, with those that it refers to itself."""
        path += "[]" if "items" in schema else ""
        references = dict.fromkeys(_references(schema))
        for reference in references:
            if reference in self._told:
                continue
            self._told.add(reference)
            record = self._schema["$defs"][reference]
            kind = f" of type `{record['title']}`" if len(references) > 1 else ""
            is_whole_section = path in self._schema["properties"]
            yield "" if is_whole_section else f"### `{path}`{kind}\n\n"
            yield "" if is_whole_section else f"{prose(_class_of(reference))}\n\n"
            yield _table(self._rows(record, _class_of(reference)))
            for key, inner in record["properties"].items():
                yield from self._records(f"{path}.{key}", inner)

    def _rows(self, record: Schema, declared: Any = None) -> Iterator[tuple[str, str, str, str]]:
        required = {*record.get("required", ())}
        either = {
            choice["required"][0]: choice["required"][0].removesuffix("_file")
            for group in record.get("allOf", ())
            for choice in group["oneOf"]
        }
        for key, schema in record["properties"].items():
            if key in required:
                default = "**required**"
            elif key in either:
                default = f"**one of** `{either[key]}`, `{either[key]}_file`"
            else:
                default = _default(schema) or _declared_default(declared, key)
            kind = self._type(schema)
            fallback = _MATCHED if kind == "pattern" else _MEANINGS.get(key, "")
            yield code(key), kind, default, schema.get("description") or fallback

    def _type(self, schema: Schema) -> str:  # noqa: C901, PLR0911 -- one case a kind of schema
        """In words."""
        match schema:
            case {"$ref": str()}:
                return "mapping"
            case {"const": value}:
                return code(value)
            case {"enum": words}:
                return codes(words)
            case {"anyOf": choices} | {"oneOf": choices}:
                return _bounded(" or ".join(self._choices(choices)), schema)
            case {"type": "array" | ["array", "null"], "items": item}:
                return f"list of {self._type(item)}"
            case {"type": "object", "additionalProperties": Mapping() as value}:
                return f"mapping of {self._type(value)}"
            case {"type": "string", "format": name}:
                return _FORMATS[name]
            case {"type": "string", "pattern": pattern}:
                return "size" if "KiB" in pattern else "duration"
            case {"type": str(name)}:
                return _bounded({"string": "text", "object": "mapping"}.get(name, name), schema)
            case {"type": names}:
                return " or ".join(names)
        msg = f"no words for {schema}"
        raise ValueError(msg)

    def _choices(self, choices: list[Schema]) -> list[str]:
        """Without null, which is as good as no key, and without what stands for `${VAR}`."""
        told = [
            self._type(choice)
            for choice in choices
            if choice.get("type") != "null"
            and choice.get("pattern") != r"\$\{"
            and choice != {"const": 0}
        ]
        return list(dict.fromkeys(told))


def _references(schema: Schema) -> Iterator[str]:
    """The records in a schema, from left to right, not those within them."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix("#/$defs/")
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _references(inner)
    if "items" in schema:
        yield from _references(schema["items"])


def _class_of(reference: str) -> Any:
    module, _, name = reference.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _table(rows: Iterator[tuple[str, str, str, str]]) -> str:
    return table(("key", "type", "default", "meaning"), rows)


def _default(schema: Schema) -> str:
    match schema.get("default"):
        case None | "":
            return ""
        case bool(truth):
            return code(str(truth).lower())
        case int(size) if "KiB" in schema.get("pattern", ""):
            return code(f"{size // 2**20}MiB")
        case float(number):
            return code(f"{number:g}")
        case value:
            return code(value)


def _declared_default(declared: Any, key: str) -> str:
    """Of a key that may hold a password, or that is inherited, so that the schema has none."""
    is_inherited = declared is Route
    fields = getattr(RouteSettings if is_inherited else declared, "__dataclass_fields__", {})
    match getattr(fields.get(key), "default", None):
        case InlineSecret() as secret:
            return code(secret.reveal())
        case timedelta() as pause if is_inherited:
            return f"the parent's; {code(format_duration(pause))} at the root"
        case _:
            return ""


def _bounded(words: str, schema: Schema) -> str:
    if "minimum" in schema:
        return f"{words}, at least {schema['minimum']}"
    if "exclusiveMinimum" in schema:
        return f"{words}, more than {schema['exclusiveMinimum']}"
    return words
