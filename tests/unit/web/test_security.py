from __future__ import annotations

import pytest

from auditd.web.address import Address
from auditd.web.security import Security, warnings_of
from tests.unit.web.secured import Issuer

ISSUER = Issuer()
USERS = {"alice": "$2y$04$"}
LOOPBACK, WIDE = Address("127.0.0.1", 1), Address("", 9877)


def test_loopback_is_no_reason_to_worry() -> None:
    assert warnings_of([LOOPBACK, Address("localhost", 1)], Security()) == ()


def test_who_listens_wider_without_a_log_in_is_warned() -> None:
    (warning,) = warnings_of([LOOPBACK, WIDE], Security())
    assert "whoever can reach :9877 can read everything" in warning


def test_who_takes_passwords_unencrypted_is_warned() -> None:
    (warning,) = warnings_of([WIDE], Security(users=USERS))
    assert "passwords cross the network unencrypted to :9877" in warning
    assert warnings_of([LOOPBACK], Security(users=USERS)) == ()


async def test_encryption_alone_keeps_nobody_out_and_certificates_do() -> None:
    context = await ISSUER.context()
    assert len(warnings_of([WIDE], Security(context=context))) == 1
    assert warnings_of([WIDE], Security(context=context, users=USERS)) == ()
    assert warnings_of([WIDE], await ISSUER.demanding()) == ()


@pytest.mark.parametrize(
    ("encrypted", "certificate", "is_welcome"),
    [
        (True, {"subjectAltName": (("DNS", "a"),)}, True),
        (True, {"subjectAltName": (("DNS", "b"),)}, False),
        (True, {}, False),
        (True, None, False),
        (False, {"subjectAltName": (("DNS", "a"),)}, False),
    ],
)
async def test_who_is_welcome(
    certificate: dict[str, object] | None, *, encrypted: bool, is_welcome: bool
) -> None:
    security = await ISSUER.demanding("a")
    assert security.is_welcome(certificate, encrypted=encrypted) is is_welcome
