from __future__ import annotations

import json
from typing import Any

import pytest

from auditd.simulator.refusal import RefusalError


def rendered(refusal: RefusalError) -> dict[str, Any]:
    response = refusal.to_response("r1")
    assert response.headers["X-Request-Id"] == "r1"
    assert isinstance(response.body, bytes)
    body = json.loads(response.body)
    assert isinstance(body, dict)
    return body


def test_the_gateway_puts_the_message_first_and_tells_its_request_id() -> None:
    body = rendered(RefusalError.of_gateway(404, "0101", "no such API"))
    assert list(body.items()) == [
        ("error_msg", "no such API"),
        ("error_code", "APIGW.0101"),
        ("request_id", "r1"),
    ]


def test_servicestage_puts_the_code_first_and_tells_no_request_id() -> None:
    body = rendered(RefusalError.of_service(400, "0451", "repository authorization invalid"))
    assert list(body.items()) == [
        ("error_code", "SVCSTG.REPO.0451"),
        ("error_msg", "repository authorization invalid"),
    ]


@pytest.mark.parametrize(("status", "title"), [(401, "Unauthorized"), (403, "Forbidden")])
def test_keystone_nests_and_its_code_is_a_number(status: int, title: str) -> None:
    body = rendered(RefusalError.of_keystone(status, "no"))
    assert body == {"error": {"message": "no", "code": status, "title": title}}


def test_iams_own_part_is_flat() -> None:
    refusal = RefusalError.of_iam("IAM.0011", "Request body is invalid.")
    assert refusal.status == 400
    assert rendered(refusal) == {
        "error_code": "IAM.0011",
        "error_msg": "Request body is invalid.",
    }


def test_headers_are_added() -> None:
    refusal = RefusalError.of_gateway(429, "0308", "slow down", headers={"Retry-After": "7"})
    assert refusal.to_response("r1").headers["Retry-After"] == "7"
