"""The SDK's providers against local servers that answer as the vendor's do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from huaweicloudsdkcore.auth.internal import MetadataAccessor
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.key_chain import find_keys, read_keys
from auditd.servicestage.signing import Keys
from tests.unit.servicestage.fake_huawei import CANARY

_ALL = json.loads((Path(__file__).parent / "data" / "responses.json").read_bytes())["responses"]
RESPONSES: dict[str, dict[str, Any]] = {response["id"]: response for response in _ALL}

AFTERNOON = datetime(2026, 1, 15, 14, 30, tzinfo=UTC)
MORNING = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


class Machine:
    """A host whose paths answer as set; everything that it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, web.Response | dict[str, Any]] = {}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.headers), await request.text()))
        answer = self.answers.get(request.path)
        if isinstance(answer, dict):
            body = answer["body"]
            return web.Response(status=answer["status"], text=body, content_type="application/json")
        return answer or web.Response(status=404, text=f"nothing here but {CANARY}")


@pytest.fixture
async def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Machine]:
    """No provider finds anything, and the metadata service is this host."""
    for name in ("AK", "SK", "SECURITY_TOKEN", "IDP_ID", "ID_TOKEN_FILE", "IAM_ENDPOINT"):
        monkeypatch.delenv(f"HUAWEICLOUD_SDK_{name}", raising=False)
    for name in ("PROVIDER_URN", "AGENCY_URN", "ID_TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"HUAWEICLOUD_OIDC_{name}", raising=False)
    monkeypatch.delenv("HC_CONTAINER_CREDENTIALS_FULL_URI", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    machine, app = Machine(), web.Application()
    app.router.add_route("*", "/{path:.*}", machine.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    machine.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setattr(MetadataAccessor, "_METADATA_ENDPOINT", machine.url)
    yield machine
    await runner.cleanup()


async def found() -> Keys:
    return await asyncio.to_thread(find_keys)


async def why_not() -> str:
    with pytest.raises(PollError) as caught:
        await found()
    assert caught.value.reason is FailureReason.AUTH
    return str(caught.value)


async def test_keys_in_the_environment_come_first(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "EAK")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "ESK")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SECURITY_TOKEN", "EST")

    assert await found() == Keys("EAK", "ESK", "EST")
    assert not machine.asked


async def test_the_profile_file_comes_second(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[basic]\nak = PAK\nsk = P%%SK\n")

    assert await found() == Keys("PAK", "P%SK")


async def test_an_id_token_is_exchanged_for_temporary_keys(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "id-token").write_text("the.id.token\n")
    monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "idp")
    monkeypatch.setenv("HUAWEICLOUD_SDK_ID_TOKEN_FILE", str(tmp_path / "id-token"))
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", machine.url)
    machine.answers = {
        "/v3.0/OS-AUTH/id-token/tokens": web.Response(
            status=201, text="{}", headers={"X-Subject-Token": "unscoped"}
        ),
        "/v3.0/OS-CREDENTIAL/securitytokens": RESPONSES["iam-201-securitytoken"],
    }

    assert await found() == Keys("TAKFAKE", "TSKFAKE", "STFAKE", AFTERNOON)
    assert json.loads(machine.asked[0][2]) == {"auth": {"id_token": {"id": "the.id.token"}}}


async def test_an_oidc_token_is_exchanged_at_sts(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::p")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::a")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_ID_TOKEN", "the.id.token")
    monkeypatch.setenv("HUAWEICLOUD_SDK_STS_ENDPOINT", machine.url)
    body = {
        "credentials": {
            "access_key_id": "OAK",
            "secret_access_key": "OSK",
            "security_token": "OST",
            "expiration": "2026-01-15T14:30:00Z",
        }
    }
    machine.answers = {"/v5/agencies/assume-with-oidc": web.json_response(body)}

    assert await found() == Keys("OAK", "OSK", "OST", AFTERNOON)


async def test_a_pods_identity_is_found_though_the_metadata_service_would_answer_too(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pod-token").write_text("pod-token")
    monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", f"{machine.url}/pod")
    monkeypatch.setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "pod-token"))
    machine.answers = {"/pod": RESPONSES["pod-identity-200"]}

    assert await found() == Keys("PAK", "PSK", "PST", AFTERNOON)
    [(_, headers, _)] = machine.asked
    assert headers["Authorization"] == "pod-token"


async def test_the_metadata_service_comes_last(machine: Machine) -> None:
    machine.answers = {
        "/meta-data/latest/api/token": web.Response(text="imds-token"),
        "/openstack/latest/securitykey": RESPONSES["imds-200-securitykey"],
    }

    assert await found() == Keys("TAKFAKE", "TSKFAKE", "STFAKE", MORNING)
    assert machine.asked[-1][1]["X-Metadata-Token"] == "imds-token"


async def test_a_silent_metadata_service_is_one_more_provider_without_keys(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MetadataAccessor, "_METADATA_ENDPOINT", "http://127.0.0.1:1")

    assert "ECS metadata: ConnectionError)" in await why_not()


async def test_every_provider_has_its_say(machine: Machine) -> None:
    said = await why_not()

    assert "environment: ak&sk or idpId&idTokenFile does not exist" in said
    assert "profile: credentials file " in said
    assert "OIDC: Missing required env var: HUAWEICLOUD_OIDC_PROVIDER_URN" in said
    assert "pod identity: HC_CONTAINER_CREDENTIALS_FULL_URI and " in said
    assert "ECS metadata: " in said


@pytest.mark.parametrize("profile", [f"[basic]\nak=A\nsk=%{CANARY}\n", f"{CANARY}\n"])
async def test_a_damaged_profile_is_not_quoted(
    machine: Machine, tmp_path: Path, profile: str
) -> None:
    (tmp_path / "credentials").write_text(profile)
    machine.answers = {"/openstack/latest/securitykey": web.Response(status=500, text="x")}

    said = await why_not()
    assert CANARY not in said
    assert "profile: " in said


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/St_Johns"])
@pytest.mark.parametrize("text", ["2026-03-29T02:30:00.000000Z", "2026-03-29T02:30:00Z"])
def test_the_end_is_read_in_utc_whatever_the_local_time(
    monkeypatch: pytest.MonkeyPatch, timezone: str, text: str
) -> None:
    monkeypatch.setenv("TZ", timezone)
    fields = {"access": "A", "secret": "S", "securitytoken": "T", "expires_at": text}

    assert read_keys({"credential": fields}).expires_at == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize("missing", ["access", "secret", "securitytoken", "expires_at"])
def test_keys_that_are_incomplete_are_none(missing: str) -> None:
    fields = {
        "access": "A",
        "secret": CANARY,
        "securitytoken": "T",
        "expires_at": "2026-03-29T02:30:00Z",
    }
    del fields[missing]
    with pytest.raises(ValueError, match=f"^{missing} is missing$"):
        read_keys(json.dumps({"credential": fields}))


_NAMES = st.sampled_from(
    ["credential", "credentials", "access", "secret", "securitytoken", "expires_at", "expiration"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES | st.text(), inner),
)


@given(_VALUES)
def test_any_answer_is_keys_or_a_value_error(answer: Any) -> None:
    with suppress(ValueError):
        keys = read_keys(json.dumps(answer))
        assert keys.access_key
        assert keys.secret_key
        assert keys.expires_at is not None
        assert keys.expires_at.tzinfo is not None
