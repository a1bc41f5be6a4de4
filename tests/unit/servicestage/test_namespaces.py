from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.verification import Verdict
from auditd.servicestage.message import Answer
from auditd.servicestage.namespaces import read_verdict


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"namespaces": [{"id": "zmg", "name": "zmg"}]}', Verdict.WORKS),
        (b'{"namespaces": []}', Verdict.WORKS),
        (b'{"namespaces": null}', Verdict.INCONCLUSIVE),
        (b'{"namespaces": {}}', Verdict.INCONCLUSIVE),
        (b"{}", Verdict.INCONCLUSIVE),
        (b"[]", Verdict.INCONCLUSIVE),
        (b"", Verdict.INCONCLUSIVE),
        (b"<html>login</html>", Verdict.INCONCLUSIVE),
    ],
)
def test_only_a_list_of_namespaces_proves_that_it_works(body: bytes, verdict: Verdict) -> None:
    assert read_verdict(Answer(200, {}, body)) is verdict


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (400, "SVCSTG.REPO.0451", Verdict.BROKEN),
        (400, "SVCSTG.REPO.0450", Verdict.MISSING),
        (400, "SVCSTG.REPO.0400", Verdict.INCONCLUSIVE),
        (500, "SVCSTG.REPO.0451", Verdict.INCONCLUSIVE),
        (401, "APIGW.0301", Verdict.INCONCLUSIVE),
        (429, "APIGW.0308", Verdict.INCONCLUSIVE),
        (504, "APIGW.0201", Verdict.INCONCLUSIVE),
        (204, "", Verdict.INCONCLUSIVE),
        (302, "", Verdict.INCONCLUSIVE),
    ],
)
def test_only_documented_codes_condemn(status: int, code: str, verdict: Verdict) -> None:
    body = json.dumps({"error_code": code, "error_msg": "m"}).encode()
    assert read_verdict(Answer(status, {}, body)) is verdict


@given(st.integers(100, 599), st.binary())
def test_undocumented_answers_never_condemn(status: int, body: bytes) -> None:
    assert read_verdict(Answer(status, {}, body)) is Verdict.INCONCLUSIVE
