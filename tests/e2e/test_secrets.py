"""Canary secrets of every kind go through working and failing daemons and commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.e2e.canaries import CANARIES, assert_clean
from tests.e2e.program import finished, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A file for each secret."""
    written = {}
    for kind, secret in CANARIES.items():
        file = tmp_path / f"{kind}.secret"
        file.write_text(secret)
        written[kind] = str(file)
    profile = tmp_path / "profile"
    profile.write_text(f"[basic]\nak = AKPROFILE\nsk = {CANARIES['profile-secret']}\n")
    return {**written, "profile": str(profile)}


def configure(cloud: str, files: dict[str, str]) -> dict[str, Any]:
    configuration = make_configuration(cloud, 5)
    kinds: list[dict[str, Any]] = [
        {
            "name": "aksk",
            "type": "aksk",
            "access_key_file": files["access-key"],
            "secret_key": CANARIES["secret-key"],
            "security_token_file": files["security-token"],
        },
        {
            "name": "password",
            "type": "iam_password",
            "domain": "acme",
            "user": "auditor",
            "password_file": files["password"],
            "iam_endpoint": cloud,
        },
        {"name": "token", "type": "token", "token_file": files["token"]},
        {"name": "ambient", "type": "sdk_chain"},
        {"name": "variable", "type": "token", "token": "${CANARY_TOKEN}"},
    ]
    for project, credential in zip(configuration["projects"], kinds, strict=True):
        project["credential"] = credential["name"]
    hook = {
        "name": "ops",
        "type": "webhook",
        "url": f"https://hooks.example/{quote(CANARIES['hook-url'], safe='')}",
        "secret_file": files["webhook-secret"],
    }
    storage_password = quote(CANARIES["storage-password"], safe="")
    return {
        **configuration,
        "credentials": kinds,
        "alerting": {"route": {"hook": "ops"}, "hooks": [hook]},
        "storage": {"url": f"postgresql://u:{storage_password}@db.example/auditd"},
    }


def environment(files: dict[str, str]) -> dict[str, str]:
    return {
        "CANARY_TOKEN": CANARIES["environment-secret"],
        "HUAWEICLOUD_SDK_CREDENTIALS_FILE": files["profile"],
        "HOME": str(Path(files["profile"]).parent),
    }


@pytest.mark.parametrize("is_known", [True, False])
async def test_a_daemon_at_debug_level_shows_no_secret_anywhere(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    files: dict[str, str],
    is_known: bool,  # noqa: FBT001 - a case
) -> None:
    credentials = [
        {
            "name": "keys",
            "type": "keys",
            "access_key": CANARIES["access-key"],
            "secret_key": CANARIES["secret-key"] if is_known else "other",
            "security_token": CANARIES["security-token"],
        },
        {
            "name": "user",
            "type": "user",
            "user": "auditor",
            "password": CANARIES["password"] if is_known else "other",
        },
    ]
    async with simulate({**make_scenario(5), "credentials": credentials}) as cloud:
        configuration = configure(cloud.url, files)
        del configuration["storage"]  # the daemon's is a file; see below for the other
        file = write("auditd.yaml", configuration)
        async with running(
            "run",
            f"--config.file={file}",
            "--web.listen-address=127.0.0.1:0",
            "--log.level=debug",
            **environment(files),
        ) as daemon:
            await daemon.event("daemon.ready", seen=2 if is_known else 0)
            url = await daemon.url()
            for path in ("/metrics", "/-/ready", "/", "/no-such-page"):
                async with session.get(url + path) as answer:
                    assert_clean(await answer.text(), path)
            assert_clean(daemon.arguments(), "the process arguments")
    assert len(daemon.records) > 10
    assert_clean(daemon.text, "the log")


async def test_a_storage_that_cannot_be_opened_is_told_without_its_password(
    write: Callable[[str, Any], Path], files: dict[str, str]
) -> None:
    file = write("auditd.yaml", configure("http://127.0.0.1:1", files))
    code, out, err = await finished("run", f"--config.file={file}", **environment(files))
    assert code == 4
    assert err
    assert_clean(out + err, "run")


@pytest.mark.parametrize("output", ["table", "json", "csv", "junit", "sarif", "prometheus"])
async def test_check_shows_no_secret_in_any_format(
    simulate: Any,
    write: Callable[[str, Any], Path],
    files: dict[str, str],
    output: str,
) -> None:
    async with simulate(make_scenario(5)) as cloud:
        file = write("auditd.yaml", configure(cloud.url, files))
        code, out, err = await finished(
            "check", f"--config.file={file}", f"--format={output}", **environment(files)
        )
    assert code == 3
    assert out
    assert_clean(out + err, f"check --format={output}")


async def test_a_wrong_configuration_is_told_without_its_secrets(
    write: Callable[[str, Any], Path], files: dict[str, str]
) -> None:
    configuration = configure("http://127.0.0.1:1", files)
    configuration["credentials"][0]["secret_keys"] = CANARIES["secret-key"]
    configuration["credentials"][1]["password"] = {CANARIES["password"]: 1}
    configuration["global"]["proxy_url"] = f"ftp://u:{CANARIES['proxy-password']}@proxy.example"
    configuration["projects"][0]["poll_interval"] = CANARIES["token"]
    file = write("auditd.yaml", configuration)
    code, out, err = await finished("config", "check", str(file), **environment(files))
    assert code == 2
    assert err.count("\n") >= 4
    assert_clean(out + err, "config check")
