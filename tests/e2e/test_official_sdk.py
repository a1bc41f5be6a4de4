from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.metrics import scrape
from tests.e2e.program import running
from tests.e2e.scenarios import (
    ACCESS_KEY,
    SECRET_KEY,
    make_configuration,
    make_scenario,
    project_id,
)

pytestmark = pytest.mark.timeout(60)


def list_with_the_sdk(endpoint: str) -> dict[str, int]:
    """What huaweicloudsdkservicestage lists: authorization name -> status."""
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415 - writes HOME
    from huaweicloudsdkservicestage.v2 import (  # noqa: PLC0415 - likewise
        ListAuthorizationsRequest,
        ServiceStageClient,
    )

    client = (
        ServiceStageClient.new_builder()
        .with_credentials(BasicCredentials(ACCESS_KEY, SECRET_KEY, project_id(0)))
        .with_endpoints([endpoint])
        .build()
    )
    answer = client.list_authorizations(ListAuthorizationsRequest())
    return {authorization.name: authorization.status for authorization in answer.authorizations}


async def test_the_official_sdk_lists_what_the_daemon_reports(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # the SDK writes a file there when it is imported
    async with simulate(make_scenario()) as cloud:
        listed = await asyncio.to_thread(list_with_the_sdk, cloud.url)
        file = write("auditd.yaml", make_configuration(cloud.url))
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("daemon.ready", seen=1)
            seen = await scrape(session, await daemon.url())
    words = ["normal", "overdue", "unauthenticated"]
    reported = {
        name: words.index(status)
        for status in words
        for name in seen.label(
            "servicestage_git_authorization_status", "authorization", status=status
        )
    }
    assert reported == listed == {"fine": 0, "lapsed": 1, "old": 0}
