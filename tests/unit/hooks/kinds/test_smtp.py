from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.smtp import Security, SmtpHook, SmtpOptions
from auditd.hooks.port import HookError, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.mail_server import AUTHORITY, MailServer, lines_of, listen
from tests.unit.hooks.kinds.samples import AT, HOSTILE, Text, firing, message, resolved


@pytest.fixture
async def starttls_server() -> AsyncIterator[MailServer]:
    told = MailServer()
    async with await listen(told, tls=False, starttls=True):
        yield told


@pytest.fixture
async def tls_server() -> AsyncIterator[MailServer]:
    told = MailServer()
    async with await listen(told, tls=True, starttls=False):
        yield told


@pytest.fixture
async def plain_server() -> AsyncIterator[MailServer]:
    told = MailServer()
    async with await listen(told, tls=False, starttls=False):
        yield told


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return path


def options(
    server: MailServer,
    ca_file: Path | None,
    *,
    security: Security = Security.STARTTLS,
    to: tuple[str, ...] = ("ops@acme.example", "boss@acme.example"),
    password: str | None = None,
    language: Language = Language.EN,
    title: str | None = None,
) -> SmtpOptions:
    return SmtpOptions(
        host="localhost",
        port=server.port,
        security=security,
        ca_file=ca_file,
        username="auditd" if password else None,
        password=Text(password) if password else None,
        from_="auditd@acme.example",
        to=to,
        language=language,
        title=title,
    )


async def test_a_mail_has_text_and_html(
    starttls_server: MailServer, ca_file: Path, surroundings: Surroundings
) -> None:
    hook = SmtpHook("mail", options(starttls_server, ca_file), surroundings)
    await hook.send(message(firing(), resolved(), truncated=2))
    ((sender, recipients, mail),) = starttls_server.mails
    assert sender == "auditd@acme.example"
    assert recipients == ["ops@acme.example", "boss@acme.example"]
    assert mail["From"] == "servicestage-auditd <auditd@acme.example>"
    assert mail["To"] == "ops@acme.example, boss@acme.example"
    assert mail["Subject"] == "[FIRING:3] GitAuthorizationOverdue in payments"
    assert mail["Message-ID"] == "<msg_1@acme.example>"
    assert mail["Date"].datetime == AT
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.iter_parts()
    assert lines_of(text) == (
        "[CRITICAL] github authorization gh-main is overdue\n"
        "Project: payments, authorization: gh-main\n"
        "Since 2026-06-01T09:00:00Z, for 3h\n"
        "Console: https://console.example/ss?agencyId=1&region=cn-north-4\n"
        "Runbook: https://docs.example/alerts#GitAuthorizationOverdue\n"
        "\n"
        "[RESOLVED] github authorization gh-side is overdue\n"
        "Project: payments, authorization: gh-side\n"
        "Stood since 2026-06-01T09:00:00Z, for 3h; why it ended: cleared\n"
        "Runbook: https://docs.example/alerts#GitAuthorizationOverdue\n"
        "\n"
        "and 2 more, see all: https://auditd.example\n"
    )
    assert html.get_content_type() == "text/html"
    assert lines_of(html) == (
        "<!DOCTYPE html>\n<html><body>\n"
        "<p>[CRITICAL] github authorization gh-main is overdue<br>\n"
        "Project: payments, authorization: gh-main<br>\n"
        "Since 2026-06-01T09:00:00Z, for 3h<br>\n"
        '<a href="https://console.example/ss?agencyId=1&amp;region=cn-north-4">Console</a><br>\n'
        '<a href="https://docs.example/alerts#GitAuthorizationOverdue">Runbook</a></p>\n'
        "<p>[RESOLVED] github authorization gh-side is overdue<br>\n"
        "Project: payments, authorization: gh-side<br>\n"
        "Stood since 2026-06-01T09:00:00Z, for 3h; why it ended: cleared<br>\n"
        '<a href="https://docs.example/alerts#GitAuthorizationOverdue">Runbook</a></p>\n'
        '<p>and 2 more, <a href="https://auditd.example">see all</a></p>\n'
        "</body></html>\n"
    )


async def test_a_server_may_be_spoken_to_in_tls_with_a_password_and_in_chinese(
    tls_server: MailServer, ca_file: Path, surroundings: Surroundings
) -> None:
    chosen = options(
        tls_server, ca_file, security=Security.TLS, password="right", language=Language.ZH
    )
    await SmtpHook("mail", chosen, surroundings).send(message())
    ((_, _, mail),) = tls_server.mails
    assert tls_server.logins == [(b"auditd", b"right")]
    assert mail["Subject"] == "[告警:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese
    text, _ = mail.iter_parts()
    assert "摘要" in lines_of(text)
    assert tls_server.contents[0].isascii()  # whatever servers are on the way


async def test_a_server_without_tls_is_used_only_when_that_was_asked_for(
    plain_server: MailServer, surroundings: Surroundings
) -> None:
    with pytest.raises(RefusedError, match="lacks STARTTLS"):
        await SmtpHook("mail", options(plain_server, None), surroundings).send(message())
    assert plain_server.mails == []
    chosen = options(plain_server, None, security=Security.NONE)
    await SmtpHook("mail", chosen, surroundings).send(message())
    assert len(plain_server.mails) == 1


async def test_foreign_text_is_inert_and_adds_no_header(
    plain_server: MailServer, surroundings: Surroundings
) -> None:
    chosen = options(
        plain_server, None, security=Security.NONE, title="{{ notification.group_labels.project }}"
    )
    told = message(firing(HOSTILE))
    told.notification.group_labels["project"] = "x\r\nBcc: victim@x.example" + "y" * 300  # type: ignore[index] # a dict in this test
    await SmtpHook("mail", chosen, surroundings).send(told)
    ((_, recipients, mail),) = plain_server.mails
    assert recipients == ["ops@acme.example", "boss@acme.example"]
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("x Bcc: victim@x.example")
    assert len(mail["Subject"]) == 128
    _, part = mail.iter_parts()
    html = lines_of(part)
    assert "&lt;b&gt;*x*&lt;/b&gt;" in html
    assert html.count("<a ") == 2
    assert "<b>" not in html


async def test_a_retry_goes_only_to_those_who_were_not_taken(
    plain_server: MailServer, surroundings: Surroundings
) -> None:
    hook = SmtpHook("mail", options(plain_server, None, security=Security.NONE), surroundings)
    plain_server.verdicts["boss@acme.example"] = "451 try again later"
    with pytest.raises(RetryLaterError) as caught:
        await hook.send(message())
    assert caught.value.reason is SendFailure.SERVER
    assert "of 1 of 2 recipients the mail server answered 451: try again later" in str(caught.value)
    plain_server.verdicts.clear()
    await hook.send(message())
    assert [recipients for _, recipients, _ in plain_server.mails] == [
        ["ops@acme.example"],
        ["boss@acme.example"],
    ]
    first, second = (mail["Message-ID"] for _, _, mail in plain_server.mails)
    assert first == second


@pytest.mark.parametrize(
    ("verdicts", "fault"),
    [
        ({"DATA": "451 greylisted"}, RetryLaterError),
        ({"DATA": "554 spam"}, RefusedError),
        ({"boss@acme.example": "550 no such user"}, RefusedError),
        ({"boss@acme.example": "550 no", "ops@acme.example": "550 no"}, RefusedError),
        ({"boss@acme.example": "550 no", "ops@acme.example": "452 full"}, RetryLaterError),
    ],
)
async def test_4xx_may_pass_and_5xx_does_not(
    plain_server: MailServer,
    surroundings: Surroundings,
    verdicts: dict[str, str],
    fault: type[HookError],
) -> None:
    plain_server.verdicts = verdicts
    hook = SmtpHook("mail", options(plain_server, None, security=Security.NONE), surroundings)
    with pytest.raises(fault):
        await hook.send(message())


async def test_a_wrong_password_is_refused_and_not_told(
    starttls_server: MailServer, ca_file: Path, surroundings: Surroundings
) -> None:
    chosen = options(starttls_server, ca_file, password="wr0ng-secret")
    with pytest.raises(RefusedError, match="answered 535") as caught:
        await SmtpHook("mail", chosen, surroundings).send(message())
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_server_that_cannot_be_trusted_gets_nothing(
    starttls_server: MailServer,
    tls_server: MailServer,
    surroundings: Surroundings,
    security: Security,
) -> None:
    server = tls_server if security is Security.TLS else starttls_server
    hook = SmtpHook("mail", options(server, None, security=security), surroundings)
    with pytest.raises(RetryLaterError) as caught:
        await hook.send(message())
    assert caught.value.reason is SendFailure.TLS
    assert server.mails == []


async def test_a_port_where_nobody_listens_may_pass(surroundings: Surroundings) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        closed = MailServer(port=reserved.getsockname()[1])
        hook = SmtpHook("mail", options(closed, None), surroundings)
        with pytest.raises(RetryLaterError) as caught:
            await hook.send(message())
    assert caught.value.reason is SendFailure.CONNECT


@pytest.mark.parametrize(
    ("host", "fault", "reason"),
    [
        ("169.254.169.254", RefusedError, SendFailure.BLOCKED_ADDRESS),
        ("no-such-host.invalid", RetryLaterError, SendFailure.DNS),
        ("x" * 64, RetryLaterError, SendFailure.DNS),
    ],
)
async def test_metadata_services_and_unknown_names_are_never_connected_to(
    surroundings: Surroundings, host: str, fault: type[HookError], reason: SendFailure
) -> None:
    chosen = SmtpOptions(host=host, from_="a@x.example", to=("b@x.example",))
    with pytest.raises(fault) as caught:
        await SmtpHook("mail", chosen, surroundings).send(message())
    assert caught.value.reason is reason


@pytest.mark.parametrize("said", [b"", b"garbage\r\n", b"554 go away\r\n", b"421 too busy\r\n"])
async def test_strangers_and_busy_servers_are_no_success(
    surroundings: Surroundings, said: bytes
) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        told = MailServer(port=server.sockets[0].getsockname()[1])
        hook = SmtpHook("mail", options(told, None, security=Security.NONE), surroundings)
        with pytest.raises(HookError) as caught:
            await hook.send(message())
    assert isinstance(caught.value, RefusedError) is said.startswith(b"554")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"host": "mail\r\nRCPT TO:<x>"}, "host and hello"),
        ({"hello": ""}, "host and hello"),
        ({"to": ()}, "to must have an address"),
        ({"to": ("a@x.example\r\nBcc: b@x.example",)}, "plain addresses"),
        ({"to": ("<a@x.example>",)}, "plain addresses"),
        ({"from_": "nobody"}, "plain addresses"),
        ({"username": "u"}, "username and password"),
        ({"password": Text("p")}, "username and password"),
        (
            {"username": "u", "password": Text("p"), "security": Security.NONE},
            "not sent over a connection that is not encrypted",
        ),
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, object], problem: str) -> None:
    given = {"host": "localhost", "from_": "a@x.example", "to": ("b@x.example",), **changes}
    with pytest.raises(ValueError, match=problem):
        SmtpOptions(**given)  # type: ignore[arg-type] # right or wrong is what is tested


def test_a_bad_ca_file_is_named(tmp_path: Path, surroundings: Surroundings) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ValueError, match=r"ca\.pem is not a readable PEM file"):
        SmtpHook("mail", options(MailServer(), tmp_path / "ca.pem"), surroundings)
