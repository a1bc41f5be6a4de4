import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import auditd.report
from auditd.audit.finding import Severity
from auditd.report.json import render
from auditd.report.model import Report

SCHEMA = json.loads(Path(auditd.report.__path__[0], "schema.json").read_text())


def read(report: Report) -> Any:
    return json.loads(render(report))


def test_the_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["fine", "troubled"])
def test_reports_fit_the_documented_schema(request: pytest.FixtureRequest, name: str) -> None:
    document = read(request.getfixturevalue(name))
    Draft202012Validator(SCHEMA).validate(document)


def test_every_key_that_is_written_is_documented(troubled: Report) -> None:
    document = read(replace(troubled))
    assert document.keys() == SCHEMA["properties"].keys()
    finding = SCHEMA["$defs"]["finding"]["properties"]
    assert all(it.keys() == finding.keys() for it in document["findings"])


def test_a_finding_is_written_whole(troubled: Report) -> None:
    assert read(troubled)["findings"][0] == {
        "project": "payments",
        "authorization": "gl",
        "repo_type": "gitlab",
        "token_type": "personal",
        "check": "overdue",
        "severity": "critical",
        "status": "overdue",
        "age_seconds": 91 * 86400.0,
        "summary": "gitlab authorization gl is overdue; re-authorize it",
    }


def test_an_unknown_age_is_null(troubled: Report) -> None:
    assert read(troubled)["findings"][1]["age_seconds"] is None


def test_projects_are_listed_with_their_failures(troubled: Report) -> None:
    far, lab, _ = read(troubled)["projects"]
    assert far == {
        "project": "far",
        "project_id": "0123456789abcdef0123456789abcdef",
        "region": "cn-north-4",
        "authorizations": None,
        "failure": {"reason": "timeout", "message": "no answer within 30s"},
    }
    assert (lab["authorizations"], lab["failure"]) == (1, None)


def test_known_findings_stand_apart_and_are_counted_apart(troubled: Report) -> None:
    baseline = frozenset({("payments", "overdue", "gl", Severity.CRITICAL)})
    document = read(replace(troubled, baseline=baseline))
    assert [it["check"] for it in document["known_findings"]] == ["overdue"]
    assert [it["check"] for it in document["findings"]] == ["timestamp", "stale"]
    assert document["counts"] == {
        "projects": 3,
        "failed_projects": 1,
        "authorizations": 3,
        "findings": {"critical": 0, "warning": 2, "info": 0},
        "known_findings": {"critical": 1, "warning": 0, "info": 0},
    }


def test_the_head_says_what_wrote_it_and_when(fine: Report) -> None:
    document = read(fine)
    assert (document["format"], document["version"]) == ("servicestage-auditd/report", 1)
    assert (document["tool_version"], document["generated_at"]) == ("1.2.3", "2026-06-01T12:00:00Z")
