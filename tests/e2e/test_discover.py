from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import finished
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)


async def test_no_id_is_cut_however_narrow_the_output_is(
    simulate: Any, write: Callable[[str, Any], Path]
) -> None:
    async with simulate(make_scenario(3)) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url, 3))
        arguments = ("discover", f"--config.file={file}")
        _, seen, _ = await finished(*arguments, "--format=json")
        code, table, _ = await finished(*arguments, COLUMNS="80")
    assert code == 0
    assert len(json.loads(seen)) == 3
    assert all(project["project_id"] in table for project in json.loads(seen))


async def test_a_throttled_credential_is_said_and_waited_for(
    simulate: Any, write: Callable[[str, Any], Path]
) -> None:
    faults = [{"count": 1, "effect": {"type": "throttle", "retry_after": "1s"}}]
    async with simulate(make_scenario(1, faults=faults)) as cloud:
        configuration = make_configuration(cloud.url, 1)
        configuration["discovery"] = [{"type": "iam", "credential": "keys"}]
        file = write("auditd.yaml", configuration)
        code, seen, err = await finished("discover", f"--config.file={file}", "--format=json")
    assert code == 3  # of the discovery, whose turn it was
    assert [project["name"] for project in json.loads(seen)] == ["cn-north-4_p0"]
    assert re.match(
        r"credential 'keys' is throttled: waiting until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", err
    )
