from __future__ import annotations

import json
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
