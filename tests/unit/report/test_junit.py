from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xmlschema import XMLSchema

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.junit import render
from auditd.report.model import Report


@pytest.fixture(scope="session")
def schema() -> XMLSchema:
    return XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def suites(report: Report) -> dict[str, ET.Element]:
    return {suite.attrib["name"]: suite for suite in ET.fromstring(render(report).encode())}


@pytest.mark.parametrize("name", ["fine", "troubled"])
def test_reports_fit_the_schema_of_jenkins(
    request: pytest.FixtureRequest, schema: XMLSchema, name: str
) -> None:
    schema.validate(render(request.getfixturevalue(name)))


def test_a_suite_counts_its_cases(troubled: Report) -> None:
    counted = {
        name: tuple(int(suite.attrib[it]) for it in ("tests", "failures", "errors"))
        for name, suite in suites(troubled).items()
    }
    checks = len(troubled.checks)
    assert counted == {
        "far": (1, 0, 1),
        "lab": (1 + checks, 1, 0),
        "payments": (1 + 2 * checks, 2, 0),
    }


def test_a_case_is_an_authorization_and_a_check(troubled: Report) -> None:
    cases = [(case.attrib["classname"], case.attrib["name"]) for case in suites(troubled)["lab"]]
    assert cases == [("lab", "poll"), *(("lab.old", check.name) for check in troubled.checks)]


def test_a_finding_is_a_failure_of_its_case(troubled: Report) -> None:
    (case,) = suites(troubled)["lab"].findall("testcase[failure]")
    assert case.attrib == {"classname": "lab.old", "name": "timestamp"}
    assert case[0].attrib == {
        "type": "warning",
        "message": "github authorization old has times that cannot be right: update time missing",
    }


def test_a_failed_poll_is_an_error(troubled: Report) -> None:
    (case,) = suites(troubled)["far"]
    assert case.attrib["name"] == "poll"
    assert case[0].tag == "error"
    assert case[0].attrib == {"type": "timeout", "message": "no answer within 30s"}


def test_what_the_baseline_knows_passes(troubled: Report) -> None:
    baseline = frozenset({("lab", "timestamp", "old", Severity.WARNING)})
    suite = suites(replace(troubled, baseline=baseline))["lab"]
    assert (suite.attrib["failures"], suite.findall("testcase/failure")) == ("0", [])


def test_what_xml_cannot_hold_is_dropped(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> None:
    report = report_of(seen("a\x00b\x1f\ufffe\ud800<&\"'\U0001f600", authorize()))
    assert [*suites(report)] == ["ab<&\"'\U0001f600"]


@given(name=st.text(), message=st.text())
def test_any_text_gives_a_document_that_can_be_read(
    *,
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    unseen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    name: str,
    message: str,
) -> None:
    overdue = authorize(name=name, status=Status.OVERDUE)
    report = report_of(seen("p", overdue), unseen("q", message))
    assert suites(report)["p"].attrib["failures"] == "1"
