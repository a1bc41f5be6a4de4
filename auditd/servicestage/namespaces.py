"""The answer to ListNamespaces, which shows whether a stored Git credential still works."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from auditd.audit.failure import PollError
from auditd.audit.verification import Verdict
from auditd.servicestage.error_body import read_error
from auditd.servicestage.json_body import decode
from auditd.servicestage.message import Answer

_VERDICTS = {"SVCSTG.REPO.0450": Verdict.MISSING, "SVCSTG.REPO.0451": Verdict.BROKEN}


class _Body(msgspec.Struct):
    namespaces: msgspec.Raw


def read_verdict(answer: Answer) -> Verdict:
    """What `answer` says of the Git credential. It never raises.

    Whatever is not documented is INCONCLUSIVE, a refusal of our own credential included.

    Source: ServiceStage API reference, "Obtaining Namespaces of a Repository" and "Error
    Codes": SVCSTG.REPO.0450 no repository authorization, 0451 repository authorization invalid.
    """
    if answer.status == HTTPStatus.OK:
        return Verdict.WORKS if _has_namespaces(answer.body) else Verdict.INCONCLUSIVE
    if answer.status == HTTPStatus.BAD_REQUEST:
        return _VERDICTS.get(read_error(answer).code, Verdict.INCONCLUSIVE)
    return Verdict.INCONCLUSIVE


def _has_namespaces(body: bytes) -> bool:
    try:
        answer = decode(body, _Body, what="the list of namespaces")
    except PollError:
        return False
    return bytes(memoryview(answer.namespaces)[:1]) == b"["
