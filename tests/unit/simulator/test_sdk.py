"""The vendor's own client and credential providers take the simulator for the real thing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditd.simulator.loading import parse_scenario
from auditd.simulator.server import Simulator

SCENARIO = """
credentials:
  - {name: platform, type: keys, access_key: AKPLATFORM, secret_key: sk-platform}
  - {name: pipeline, type: keys, access_key: AKPIPELINE, secret_key: sk, security_token: st}
  - {name: workload, type: agency, pod_token: pod, id_token: idt}
projects:
  - name: cn-north-4
    id: 0123456789abcdef0123456789abcdef
    authorizations: [{name: gh-main}, {name: gl-main, repo_type: gitlab}]
"""
PROJECT = "0123456789abcdef0123456789abcdef"
List = Callable[..., Any]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The SDK signs with the real clock, so the simulator has it too."""
    scenario = parse_scenario(SCENARIO, "test")
    async with Simulator(scenario, now=lambda: datetime.now(UTC)).serve() as bound:
        yield bound.url


@pytest.fixture
def list_names(sdk: Any, url: str) -> List:
    """List with the official client, which blocks and so has a thread of its own."""

    async def list_names(credentials: Any) -> list[str]:
        builder = sdk.servicestage.ServiceStageClient.new_builder()
        client = builder.with_credentials(credentials).with_endpoint(url).build()
        request = sdk.servicestage.ListAuthorizationsRequest()
        answer = await asyncio.to_thread(client.list_authorizations, request)
        return [authorization.name for authorization in answer.authorizations]

    return list_names


async def test_the_official_client_lists(sdk: Any, list_names: List) -> None:
    credentials = sdk.BasicCredentials("AKPLATFORM", "sk-platform", PROJECT)
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_client_lists_with_temporary_keys(sdk: Any, list_names: List) -> None:
    credentials = sdk.BasicCredentials("AKPIPELINE", "sk", PROJECT).with_security_token("st")
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_client_understands_the_refusals(sdk: Any, list_names: List) -> None:
    wrong = sdk.BasicCredentials("AKPLATFORM", "wrong", PROJECT)
    texts = []
    for credentials in [wrong] * 6 + [sdk.BasicCredentials("AKPLATFORM", "sk-platform", PROJECT)]:
        with pytest.raises(sdk.ServiceResponseException) as caught:
            await list_names(credentials)
        assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")
        assert len(caught.value.request_id) == 32
        texts.append(caught.value.error_msg)
    assert ["reach the limit" in text for text in texts] == [False] * 5 + [True] * 2


async def test_the_official_metadata_provider_gets_keys_that_work(
    sdk: Any, url: str, list_names: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The address of the metadata service is a constant of the SDK: nothing else can move it.
    monkeypatch.setattr(sdk.internal.MetadataAccessor, "_METADATA_ENDPOINT", url)
    provider = sdk.provider.MetadataCredentialProvider.get_basic_credential_metadata_provider()
    credentials = await asyncio.to_thread(provider.get_credentials)
    credentials.project_id = PROJECT
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_pod_provider_gets_keys_that_work(
    sdk: Any, url: str, list_names: List, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("pod")
    monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/pod-identity/credentials")
    monkeypatch.setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    provider = sdk.provider.PodIdentityCredentialProvider("basic")
    credentials = await asyncio.to_thread(provider.get_credentials)
    credentials.project_id = PROJECT
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_federation_goes_through(
    sdk: Any, url: str, list_names: List, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("idt")
    credentials = sdk.BasicCredentials(project_id=PROJECT)
    credentials.with_idp_id("idp").with_id_token_file(str(tmp_path / "token"))
    credentials.with_iam_endpoint(url)
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_oidc_accessor_gets_keys(
    sdk: Any, url: str, list_names: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_STS_ENDPOINT", url)
    monkeypatch.setenv("HUAWEICLOUD_OIDC_PROVIDER_URN", "urn:provider")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_AGENCY_URN", "urn:agency")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_ID_TOKEN", "idt")
    provider = sdk.provider.OidcStsCredentialProvider("basic")
    credentials = await asyncio.to_thread(provider.get_credentials)
    credentials.project_id = PROJECT
    assert await list_names(credentials) == ["gh-main", "gl-main"]


async def test_the_official_client_finds_its_project_by_region(
    sdk: Any, url: str, list_names: List
) -> None:
    credentials = sdk.BasicCredentials("AKPLATFORM", "sk-platform").with_iam_endpoint(url)
    builder = sdk.servicestage.ServiceStageClient.new_builder().with_credentials(credentials)
    region = sdk.region("cn-north-4", url)
    client = await asyncio.to_thread(builder.with_region(region).build)
    answer = await asyncio.to_thread(
        client.list_authorizations, sdk.servicestage.ListAuthorizationsRequest()
    )
    assert len(answer.authorizations) == 2
