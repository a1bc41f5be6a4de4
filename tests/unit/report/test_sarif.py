import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Report
from auditd.report.sarif import render

SCHEMA = Path(__file__).parent / "schemas" / "sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="session")
def schema() -> Draft4Validator:
    return Draft4Validator(
        json.loads(SCHEMA.read_text()), format_checker=Draft4Validator.FORMAT_CHECKER
    )


def run_of(report: Report) -> Any:
    (run,) = json.loads(render(report))["runs"]
    return run


@pytest.mark.parametrize("name", ["fine", "troubled"])
def test_reports_fit_the_official_schema(
    request: pytest.FixtureRequest, schema: Draft4Validator, name: str
) -> None:
    schema.validate(json.loads(render(request.getfixturevalue(name))))


def test_each_check_is_a_rule_with_all_texts_that_github_shows(fine: Report) -> None:
    rules = run_of(fine)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.name for check in fine.checks]
    for rule, check in zip(rules, fine.checks, strict=True):
        for key in ("shortDescription", "fullDescription", "help"):
            assert rule[key] == {"text": check.description}
        assert rule["name"] == check.alertname


def test_severities_are_levels(troubled: Report) -> None:
    run = run_of(troubled)
    assert [(it["ruleId"], it["level"]) for it in run["results"]] == [
        ("overdue", "error"),
        ("timestamp", "warning"),
        ("stale", "warning"),
    ]


def test_a_result_is_located_where_github_accepts_it(troubled: Report) -> None:
    assert run_of(troubled)["results"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "servicestage/payments/gl"},
                "region": {"startLine": 1},
            },
            "logicalLocations": [
                {"fullyQualifiedName": "payments/gl", "name": "gl", "kind": "resource"}
            ],
        }
    ]


def test_foreign_names_are_encoded_in_the_uri(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    schema: Draft4Validator,
) -> None:
    overdue = authorize(name="é /?#", status=Status.OVERDUE)
    report = report_of(seen("https://p", overdue))
    schema.validate(json.loads(render(report)))
    (location,) = run_of(report)["results"][0]["locations"]
    uri = location["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "servicestage/https%3A%2F%2Fp/%C3%A9%20%2F%3F%23"


def test_a_fingerprint_is_of_project_check_and_authorization_alone(troubled: Report) -> None:
    def fingerprints(report: Report) -> list[str]:
        return [
            it["partialFingerprints"]["primaryLocationLineHash"] for it in run_of(report)["results"]
        ]

    later = replace(troubled, tool_version="9.9", snapshots=troubled.snapshots[::-1])
    assert fingerprints(later) == fingerprints(troubled)
    assert len({*fingerprints(troubled)}) == 3
    assert fingerprints(troubled)[0] == (
        "ac46372e6a054a359ab0c0ab9308b1c1a4de12528d05a1eca0995dcbb0fccc33"
    )


def test_failed_polls_are_notifications_and_the_run_did_not_succeed(troubled: Report) -> None:
    (invocation,) = run_of(troubled)["invocations"]
    assert not invocation["executionSuccessful"]
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"] == {"text": "far: no answer within 30s"}
    assert notification["descriptor"] == {"id": "poll/timeout"}
    assert notification["level"] == "error"


def test_a_fine_run_succeeded_without_results(fine: Report) -> None:
    run = run_of(fine)
    assert run["invocations"] == [
        {
            "executionSuccessful": True,
            "endTimeUtc": "2026-06-01T12:00:00Z",
            "toolExecutionNotifications": [],
        }
    ]
    assert run["results"] == []


def test_what_the_baseline_knows_is_left_out(troubled: Report) -> None:
    baseline = frozenset({("payments", "overdue", "gl", Severity.CRITICAL)})
    results = run_of(replace(troubled, baseline=baseline))["results"]
    assert [it["ruleId"] for it in results] == ["timestamp", "stale"]
