"""A good web configuration, broken at random: there is never anything but it or an error."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from auditd.config.file_set import FileSet
from auditd.config.problem import ConfigError
from auditd.config.web_config import load_web_config

MUTATIONS = 1_000
CANARY = "CANARYcanaryCANARYcanaryCANARYcanary"
GOOD = f"""\
tls_server_config:
  cert: &pem |
    -----BEGIN CERTIFICATE-----
    {CANARY}
    -----END CERTIFICATE-----
  key: *pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: web.yml
  client_allowed_sans: [a.example, 'b']
  min_version: TLS12
  cipher_suites:
    - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  curve_preferences: [X25519]
http_server_config:
  http2: off
  headers: {{X-Frame-Options: deny, Content-Security-Policy: "a ${{b}}"}}
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
rate_limit: {{interval: 1s, burst: 20}}
"""


def test_a_broken_file_is_refused_in_words_or_taken(tmp_path: Path) -> None:
    generator = random.Random(20261126)
    path = tmp_path / "web.yml"
    refused = 0
    for _ in range(MUTATIONS):
        text = bytearray(GOOD.encode())
        for _ in range(generator.randrange(1, 4)):
            at = generator.randrange(len(text))
            match generator.randrange(3):
                case 0:
                    text[at : at + 1] = bytes([generator.randrange(256)])
                case 1:
                    del text[at : at + generator.randrange(1, 20)]
                case _:
                    text[at:at] = text[at : at + generator.randrange(1, 40)]
        path.write_bytes(text)
        said = ""
        try:
            load_web_config(path, on_secret=lambda _: None)
        except ConfigError as error:
            refused += 1
            said = str(error)
        assert CANARY not in said
        assert "mDwo.lAisC94iLAyP81" not in said
    assert MUTATIONS / 10 < refused < MUTATIONS


def test_the_files_that_were_looked_at_are_told_also_when_they_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text("tls_server_config: {cert_file: a.pem, key_file: b.pem, key: x, nonsense: 1}")
    told: list[FileSet] = []
    with pytest.raises(ConfigError, match="unknown key"):
        load_web_config(path, on_secret=lambda _: None, on_files=told.append)
    (files,) = told
    assert set(files.digests) == {path, tmp_path / "a.pem", tmp_path / "b.pem"}
    assert files.is_current()
    (tmp_path / "b.pem").write_text("x")
    assert not files.is_current()


def test_secrets_are_told_before_anything_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "web.yml"
    path.write_text(GOOD + "nonsense: 1\n")
    told: list[str] = []
    with pytest.raises(ConfigError):
        load_web_config(path, on_secret=told.append)
    assert CANARY in told
    assert any(secret.startswith("$2y$10$") for secret in told)
