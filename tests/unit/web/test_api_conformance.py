"""The API against its own description, as whoever reads that uses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from auditd.web.address import Address
from auditd.web.api import list_routes
from auditd.web.guard import Guard
from auditd.web.listener import listen
from auditd.web.openapi import describe
from tests.unit.web.fakes import NOW, Office
from tests.unit.web.fleet_fakes import HOSTILE, FleetOffice
from tests.unit.web.hostile_offices import hostile_fleet, hostile_office

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DESCRIPTION = describe(list_routes(Office(), FleetOffice(), Guard([]), now=lambda: NOW))
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 403, 404, 413]}}}
)
SCHEMA = schemathesis.openapi.from_dict(json.loads(DESCRIPTION), config=CONFIG)
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
}
KNOWN = {
    "/alerts/{id}": {"id": [alert.fingerprint for alert, _ in hostile_office().stock]},
    "/deliveries/{id}": {"id": ["d-1", "d-2"]},
    "/silences/{id}": {"id": ["s-1"]},
    "/projects/{project}/authorizations": {
        "project": ["payments", HOSTILE],
        "authorization": [HOSTILE],
    },
    "/projects/{project}": {"project": ["payments", "blind", HOSTILE]},
    "/hooks/{hook}": {"hook": [HOSTILE]},
}
"""The beginning of a path -> what there is of that."""
SILENCE = {"matchers": ['project="x"'], "ends_at": "2027-01-01T00:00:00Z", "author": "ann"}
CHECKS = [
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]
LONGEST_URL = 8000
EXAMPLES = 12
"""Of each kind of case, for each operation."""


def test_the_committed_description_is_current() -> None:
    message = "save what a daemon answers to GET /api/v1/openapi.json as docs/openapi.json"
    assert COMMITTED.read_bytes() == DESCRIPTION, message


async def test_the_description_is_served_as_it_is(client: Any) -> None:
    async with client.get("/api/v1/openapi.json") as response:
        assert response.content_type == "application/json"
        assert await response.read() == DESCRIPTION


@pytest.fixture
def url(daemon: Any) -> Iterator[str]:
    """Where the API is served, on a loop of its own."""
    daemon.office, daemon.fleet = hostile_office(), hostile_fleet()
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(1) as thread:
        opened = listen(daemon.app(), [Address("127.0.0.1", 0)])
        running = thread.submit(loop.run_forever)
        (bound,) = asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
        yield f"http://{bound}"
        asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        running.result()
    loop.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_as_described(url: str, name: str) -> None:
    statuses = set()
    with requests.Session() as session:

        @given(case=_cases(name))
        @settings(max_examples=3 * EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        def check(case: Case[Any]) -> None:
            # Longer lines, and what is no header, never reach the API.
            prepared = requests.Request(**case.as_transport_kwargs(base_url=url)).prepare()
            assume(len(prepared.url or "") < LONGEST_URL)
            response = case.call_and_validate(base_url=url, session=session, checks=CHECKS)
            statuses.add(response.status_code)

        check()
    assert 200 in statuses


def _cases(name: str) -> st.SearchStrategy[Case[Any]]:
    """Such as fit the description, such as do not, and such as name what is there."""
    operation = OPERATIONS[name]
    random = [operation.as_strategy(mode) for mode in GenerationMode]
    if name == "POST /api/v1/silences":
        body = {**SILENCE, "comment": HOSTILE}
        return st.one_of(*random, operation.as_strategy(body=body))
    for start, parts in KNOWN.items():
        if operation.path.startswith(f"/api/v1{start}"):
            known = st.fixed_dictionaries({it: st.sampled_from(parts[it]) for it in parts})
            named = known.flatmap(lambda it: operation.as_strategy(path_parameters=it))
            return st.one_of(*random, named)
    return st.one_of(*random)
