"""A mail server on a loopback port."""

from __future__ import annotations

import asyncio
import email
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.policy import default as mail_policy

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

AUTHORITY = trustme.CA()


@dataclass
class MailServer:
    """Takes mails, unless `verdicts` has another answer for a recipient or for `DATA`."""

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 # aiosmtpd's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        verdict = self.verdicts.get(address, "250 OK")
        if verdict.startswith("250"):
            envelope.rcpt_tos.append(address)
        return verdict

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 # likewise
        verdict = self.verdicts.get("DATA", "250 OK")
        if verdict.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.contents.append(content)
            mail = email.message_from_bytes(content, policy=mail_policy)
            assert isinstance(mail, EmailMessage)
            self.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), mail))
        return verdict

    def authenticate(
        self, _: SMTP, __: Session, ___: Envelope, ____: str, login: LoginPassword
    ) -> AuthResult:
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"right", handled=False)


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    return context


async def listen(told: MailServer, *, tls: bool, starttls: bool) -> asyncio.Server:
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            told,
            loop=loop,
            hostname="localhost",
            tls_context=server_context() if starttls else None,
            authenticator=told.authenticate,
            auth_require_tls=not tls,
        )

    server = await loop.create_server(
        protocol, "127.0.0.1", 0, ssl=server_context() if tls else None
    )
    told.port = server.sockets[0].getsockname()[1]
    return server


def lines_of(part: Message) -> str:
    assert isinstance(part, EmailMessage)
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")
