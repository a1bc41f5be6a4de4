"""The answer to ShowRedirectUrl: where a person authorizes ServiceStage at a Git host again."""

from __future__ import annotations

import re

import msgspec

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.json_body import decode

_WHAT = "the address of a Git host"
_WEB_ADDRESS = re.compile(r"https://[!#-;=?-Z_a-z~%\[\]$]{1,4000}", re.ASCII)


class _Body(msgspec.Struct):
    url: str


def parse_redirect(body: bytes) -> str:
    """The address. It has a `state` that is good for one use, so it is to be kept from logs.

    Source: ServiceStage API reference, "Obtaining the Authorization Redirect URL".

    Raises:
        PollError: MALFORMED when there is none, or one that a browser should not be given.
    """
    url = decode(body, _Body, what=_WHAT).url
    if not _WEB_ADDRESS.fullmatch(url):
        msg = f"the answer has a url that is not {_WHAT}"
        raise PollError(FailureReason.MALFORMED, msg)
    return url
