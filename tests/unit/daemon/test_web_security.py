from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from auditd.config.problem import ConfigError
from auditd.daemon.web_security import ReadSecurity, WebSecurity, read_security
from auditd.web.address import Address
from auditd.web.listener import open_listener
from auditd.web.security import Rate
from tests.unit.daemon.web_verdicts import BAD, FILES, GOOD, HASH, MTLS, OURS, Case, header, tls


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with certificates and keys."""
    directory: Path = tmp_path_factory.mktemp("issued")
    authority = trustme.CA()
    server, other = authority.issue_cert("localhost"), authority.issue_cert("other")
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    server.private_key_pem.write_to_path(str(directory / "server.key"))
    server.cert_chain_pems[0].write_to_path(str(directory / "server.pem"))
    other.private_key_pem.write_to_path(str(directory / "other.key"))
    return directory


@pytest.fixture
def written(issued: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Write a web configuration beside copies of the certificates."""
    for file in issued.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())

    def write(text: str) -> Path:
        (tmp_path / "web.yml").write_text(text, "utf-8")
        return tmp_path / "web.yml"

    return write


Written = Callable[[str], Path]


def read(path: Path) -> ReadSecurity:
    return read_security(path, on_secret=lambda _: None)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_what_the_exporter_toolkit_accepts_is_accepted(case: Case, written: Written) -> None:
    read(written(case.text))


@pytest.mark.parametrize("case", BAD + OURS, ids=lambda case: case.name)
def test_what_is_refused_is_refused_with_its_place_and_remedy(case: Case, written: Written) -> None:
    with pytest.raises(ConfigError) as refused:
        read(written(case.text))
    message = str(refused.value)
    assert case.fault in message
    assert "web.yml:" in message
    assert "secret-pass" not in message
    assert HASH[:58] not in message


@pytest.mark.parametrize(
    "case", [case for case in GOOD + BAD if case.is_known_to_promtool], ids=lambda case: case.name
)
def test_a_real_promtool_says_the_same(case: Case, written: Written, promtool: Path) -> None:
    command = [str(promtool), "check", "web-config", str(written(case.text))]
    said = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (said.returncode == 0) is not bool(case.fault), said.stderr


def test_all_problems_are_told_at_once(written: Written) -> None:
    text = tls("cert_file: no.pem, key_file: no.key, min_version: SSL3") + "users: {}\n"
    with pytest.raises(ConfigError) as refused:
        read(written(text))
    assert len(refused.value.problems) == 4


def test_an_inline_key_is_used_and_kept_secret(written: Written, issued: Path) -> None:
    told: list[str] = []
    pems = {
        key: (issued / name).read_text().replace("\n", "\n    ")
        for key, name in [("cert", "server.pem"), ("key", "server.key"), ("client_ca", "ca.pem")]
    }
    text = "tls_server_config:\n  client_auth_type: RequireAndVerifyClientCert\n"
    text += "".join(f"  {key}: |\n    {pem}\n" for key, pem in pems.items())
    text += f"basic_auth_users: {{alice: {HASH}}}\n"
    read_ = read_security(written(text), on_secret=told.append)
    assert read_.security.context
    assert read_.security.context.verify_mode == ssl.CERT_REQUIRED
    assert HASH in told
    assert (issued / "server.key").read_text().splitlines()[1] in told
    assert not any(line.startswith("-----") for line in told)
    assert HASH not in repr(read_)


def test_an_encrypted_key_is_refused_and_asks_nobody(written: Written, tmp_path: Path) -> None:
    path = written(tls(FILES))
    command = ["openssl", "pkey", "-aes128", "-passout", "pass:x", "-in", "server.key"]
    subprocess.run([*command, "-out", "locked"], check=True, cwd=tmp_path, capture_output=True)
    (tmp_path / "locked").rename(tmp_path / "server.key")
    with pytest.raises(ConfigError, match="decrypt it"):
        read(path)


def test_the_file_wins_over_the_inline_text(written: Written) -> None:
    path = written(tls(f"{FILES}, cert: nonsense, key: nonsense"))
    assert read(path).security.context


def test_names_are_translated_to_openssl(written: Written) -> None:
    suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"
    path = written(tls(f"{FILES}, cipher_suites: [{suites}], curve_preferences: [X25519]"))
    context = read(path).security.context
    assert context
    chosen = [cipher["name"] for cipher in context.get_ciphers()]
    assert [name for name in chosen if not name.startswith("TLS_")] == [
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-SHA",
    ]
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_headers_and_rates_are_taken_over(written: Written) -> None:
    text = (
        header("Content-Security-Policy", "'a\n\n  b'") + "rate_limit: {interval: 1m, burst: 3}\n"
    )
    security = read(written(text)).security
    assert security.headers == {"Content-Security-Policy": "a b"}
    assert security.rate == Rate(60.0, 3)
    assert read(written("rate_limit: {interval: 0s, burst: 3}")).security.rate is None
    assert read(written(header("Content-Security-Policy", "''"))).security.headers == {}


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (tls("min_version: TLS13"), "nothing is encrypted"),
        (tls(f"{FILES}, curve_preferences: [X25519, CurveP256]"), "only the first curve"),
        (tls(MTLS.replace("client_ca_file: ca.pem, ", "")), "every public authority"),
        ("rate_limit: {interval: 1s}\n", "every request is refused"),
    ],
)
def test_what_hardly_was_meant_is_warned_of(text: str, warning: str, written: Written) -> None:
    (said,) = read(written(text)).warnings
    assert warning in said
    assert "web.yml:1:" in said


async def test_a_change_of_any_file_is_put_in_force_once(written: Written, tmp_path: Path) -> None:
    path = written(tls(MTLS))
    following = WebSecurity(path, on_secret=lambda _: None)
    first = (await following.read()).security
    async with open_listener(web.Application(), [Address("127.0.0.1", 0)], first) as listener:
        assert await following.refresh(listener) is None
        for name in ("server.pem", "server.key", "ca.pem", "web.yml"):
            (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"\n")
            assert await following.refresh(listener), name
            assert await following.refresh(listener) is None, name
        os.utime(path)
        assert await following.refresh(listener) is None


async def test_a_change_that_cannot_be_used_is_told_once_and_changes_nothing(
    written: Written, tmp_path: Path
) -> None:
    path = written(tls(FILES))
    following = WebSecurity(path, on_secret=lambda _: None)
    read_ = await following.read()
    key = (tmp_path / "server.key").read_bytes()
    async with open_listener(
        web.Application(), [Address("127.0.0.1", 0)], read_.security
    ) as listener:
        for breaking in (
            lambda: (tmp_path / "server.key").write_text("x"),
            (tmp_path / "server.key").unlink,
            lambda: path.write_text("tls: {}"),
            path.unlink,
        ):
            breaking()
            with pytest.raises(ConfigError):
                await following.refresh(listener)
            assert await following.refresh(listener) is None
        assert listener.security is read_.security
        written(tls(FILES))
        (tmp_path / "server.key").write_bytes(key)
        assert await following.refresh(listener)
        assert listener.security is not read_.security


async def test_without_a_file_everything_stays_open() -> None:
    following = WebSecurity(None, on_secret=lambda _: None)
    read_ = await following.read()
    assert read_.security.context is None
    assert not read_.security.users
    async with open_listener(
        web.Application(), [Address("127.0.0.1", 0)], read_.security
    ) as listener:
        assert await following.refresh(listener) is None
