"""The description of the API, made of the same table and types that it is served by.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

import msgspec

from auditd.web.api_answer import STATUSES, ErrorType
from auditd.web.api_route import ID, ROOT, Route

_Json: TypeAlias = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"


class ErrorView(msgspec.Struct, frozen=True):
    """Why it was not done."""

    status: Literal["error"]
    errorType: ErrorType  # noqa: N815 -- as Prometheus spells it
    error: str
    """In plain words."""


def describe(routes: Sequence[Route]) -> bytes:
    """The document, as JSON that is the same for the same routes."""
    schemas, components = _schemas(routes)
    paths: dict[str, _Json] = {}
    for route in routes:
        operation = _operation(route, schemas, components)
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = operation
    for query in {route.query for route in routes}:
        del components[query.__name__]  # they are described as parameters
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "servicestage-auditd",
            "version": "1",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": (
                "What the daemon knows of the Git authorizations of Huawei Cloud ServiceStage."
                " Lists come in pages: `next` in an answer is the `cursor` of the page after it."
                " Within a major version fields and values are added, and none is taken away."
            ),
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def _schemas(routes: Iterable[Route]) -> tuple[Mapping[Any, _Json], dict[str, _Json]]:
    """What refers to each type, and what it refers to."""
    types: dict[Any, None] = {ErrorView: None}  # a dict keeps the order
    for route in routes:
        types.update(dict.fromkeys(it for it in (route.answer, route.query, route.body) if it))
    found, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    return dict(zip(types, found, strict=True)), dict(components)


def _operation(
    route: Route, schemas: Mapping[Any, _Json], components: Mapping[str, _Json]
) -> _Json:
    operation: _Json = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": route.summary,
        "parameters": [*map(_part, route.parts), *_parameters(components[route.query.__name__])],
        "responses": {
            str(HTTPStatus.OK.value): _response("What was asked for.", _answer(route, schemas)),
            **{
                str(STATUSES[error].value): _response(error.replace("_", " "), schemas[ErrorView])
                for error in _errors(route)
            },
        },
    }
    if route.body:
        operation["requestBody"] = {"required": True, **_content(schemas[route.body])}
    return operation


def _answer(route: Route, schemas: Mapping[Any, _Json]) -> _Json:
    data = schemas[route.answer] if route.answer else {"type": "null"}
    if route.is_bare:
        return data
    properties: _Json = {"status": {"const": "success"}, "data": data}
    if route.is_paged:
        properties["data"] = {"type": "array", "items": data}
        properties["next"] = {
            "type": "string",
            "description": "The `cursor` of the next page; left out when this is the last.",
        }
    return {"type": "object", "required": ["status", "data"], "properties": properties}


def _errors(route: Route) -> Iterator[ErrorType]:
    """In the order of the set, so that the document does not change by itself."""
    can_be_refused = route.body or "filter" in route.query.__struct_fields__
    possible = {ErrorType.BAD_DATA, ErrorType.INTERNAL, *route.errors}
    if route.parts:
        possible.add(ErrorType.NOT_FOUND)
    if can_be_refused:
        possible.add(ErrorType.FORBIDDEN)
    if route.body:
        possible |= {ErrorType.TIMEOUT, ErrorType.TOO_LARGE, ErrorType.UNAVAILABLE}
    return (error for error in ErrorType if error in possible)


def _part(name: str) -> _Json:
    schema: _Json = {"type": "string", "minLength": 1}
    if name == ID:
        schema |= {"pattern": r"^[\w-]{1,128}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameters(query: _Json) -> Iterator[_Json]:
    """Each field of a query. One that can be repeated is written once for each value."""
    for name, schema in query["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "schema": {key: value for key, value in schema.items() if key != "description"},
        }


def _response(description: str, schema: _Json) -> _Json:
    return {"description": description, **_content(schema)}


def _content(schema: _Json) -> _Json:
    return {"content": {"application/json": {"schema": schema}}}
