"""`smtp`: a mail with text and HTML.

Source: https://www.rfc-editor.org/rfc/rfc5321 (4xx may pass, 5xx does not, and each recipient is
taken or refused alone), https://www.rfc-editor.org/rfc/rfc8314 (ports and TLS) and
https://www.rfc-editor.org/rfc/rfc3834 (Auto-Submitted keeps vacation notices away).
"""

from __future__ import annotations

import asyncio
import html
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from pathlib import Path

import aiosmtplib

from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.mail_fault import mail_fault, refusal
from auditd.hooks.mail_route import connect
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, Surroundings
from auditd.hooks.progress import Progress
from auditd.hooks.revelation import reveal
from auditd.hooks.templates import Target
from auditd.hooks.text_options import TextOptions

_DEADLINE_SECONDS = 55.0
_SUBJECT_LIMIT = 200
_TEXT_LIMIT = 200_000
_POLICY = SMTP.clone(cte_type="7bit")  # not every server on the way takes 8 bits
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
"""What HTML forms take, too: no quoting, and nothing that could end a header or a command.

Source: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
"""

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")

HTML = Target(
    escape=html.escape, link=lambda url, words: f'<a href="{html.escape(url)}">{words}</a>'
)


class Security(StrEnum):
    """How the connection is encrypted."""

    STARTTLS = "starttls"
    """From the first command on; a server that cannot is not told anything."""
    TLS = "tls"
    """From the first byte on."""
    NONE = "none"

    @property
    def port(self) -> int:
        """Where such servers usually are."""
        return {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpOptions(TextOptions):
    """A mail to some people."""

    host: str
    """The mail server."""
    port: int | None = None
    """Where it listens: usually 587 for starttls, 465 for tls and 25 for none."""
    security: Security = Security.STARTTLS
    """How the connection is encrypted. The server's certificate is always verified."""
    ca_file: Path | None = None
    """The authorities that are trusted to know the server, instead of the system's."""
    username: str | None = None
    """For servers that want to know who sends."""
    password: Secret | None = None
    """The password of `username`."""
    from_: str
    """The address that the mail comes from."""
    to: tuple[str, ...]
    """The addresses that it goes to."""
    hello: str = "localhost"
    """The name by which we introduce ourselves to the server."""
    messages_per_minute: int | None = None
    """The most messages in a minute; meanwhile alerts wait and are told of together."""

    def __post_init__(self) -> None:
        for name in (self.host, self.hello):
            if not _HOST.fullmatch(name):
                msg = "host and hello need names such as mail.acme.example, or addresses"
                raise ValueError(msg)
        for address in (self.from_, *self.to):
            if not _ADDRESS.fullmatch(address):
                msg = "from and to need plain addresses such as ops@acme.example"
                raise ValueError(msg)
        if not self.to:
            msg = "to must have an address"
            raise ValueError(msg)
        if (self.username is None) is not (self.password is None):
            msg = "username and password are given both, or none of them"
            raise ValueError(msg)
        if self.password and self.security is Security.NONE:
            msg = "a password is not sent over a connection that is not encrypted"
            raise ValueError(msg)
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class SmtpHook:
    """Sends to all recipients at once; a retry only to those that were not taken before.

    Raises:
        ValueError: `ca_file` cannot be used, or a template has no valid syntax.
    """

    kind = "smtp"
    limit: int | None = 500
    at_once = 4

    def __init__(self, name: str, options: SmtpOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._now = surroundings.now
        self._wording = options.wording()
        self._html = options.wording(HTML)
        self._tls = _tls_context(options.ca_file)
        self._progress = Progress()

    async def send(self, message: Message) -> None:
        """See Hook."""
        options, taken = self._options, self._progress.of(message.id)
        missing = [address for address in options.to if address not in taken]
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                refused = await self._transact(self._mail(message), missing)
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = {each.recipient: (each.code, each.message) for each in error.recipients}
        except (aiosmtplib.SMTPException, OSError) as error:
            server = f"hook {self.name!r}: the mail server {options.host}"
            raise mail_fault(error, server) from error
        taken.update(address for address in missing if address not in refused)
        if refused:
            code, text = min(refused.values())  # one that may be taken later, if there is one
            count = f"{len(refused)} of {len(options.to)} recipients"
            raise refusal(code, text, f"hook {self.name!r}: of {count} the mail server")
        self._progress.forget(message.id)

    def preview(self, message: Message) -> str:
        """See Preview."""
        return self._mail(message).as_string()

    async def _transact(
        self, mail: EmailMessage, recipients: list[str]
    ) -> Mapping[str, tuple[int, str]]:
        """The recipients that were refused while others were taken."""
        options = self._options
        secret = options.password
        password = reveal(secret, hook=self.name, key="password") if secret else None
        client = aiosmtplib.SMTP(
            hostname=options.host,
            sock=await connect(options.host, options.port or options.security.port),
            use_tls=options.security is Security.TLS,
            start_tls=options.security is Security.STARTTLS,
            tls_context=self._tls,
            username=options.username,
            password=password,
            local_hostname=options.hello,
            timeout=_DEADLINE_SECONDS,
        )
        async with client:
            refused, _ = await client.sendmail(options.from_, recipients, mail.as_bytes())
        return {address: (answer.code, answer.message) for address, answer in refused.items()}

    def _mail(self, message: Message) -> EmailMessage:
        """The same at every attempt, but for its date."""
        options, notification = self._options, message.notification
        sender = Address("servicestage-auditd", addr_spec=options.from_)
        mail = EmailMessage(_POLICY)
        mail["Subject"] = self._wording.title(notification)[:_SUBJECT_LIMIT]
        mail["From"] = sender
        mail["To"] = ", ".join(options.to)
        mail["Date"] = self._now()
        mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self._wording.body(message, limit=_TEXT_LIMIT))
        marked = self._html.body(message, limit=_TEXT_LIMIT, size=lambda text: len(_page(text)))
        mail.add_alternative(_page(marked), subtype="html")
        return mail


def _page(text: str) -> str:
    paragraphs = [part.replace("\n", "<br>\n") for part in text.split("\n\n")]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return f"<!DOCTYPE html>\n<html><body>\n{body}\n</body></html>\n"


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        msg = f"ca_file {ca_file} is not a readable PEM file of certificates: {error}"
        raise ValueError(msg) from error


PLUGIN = Plugin("smtp", SmtpOptions, SmtpHook)
