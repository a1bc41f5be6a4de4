"""For the test view of a CI server.

Source: the XSD of Jenkins' xUnit plugin, junit-10.xsd, which takes Surefire's reports too.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from auditd.audit.instant import format_instant
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Report, Row

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not. Source: XML 1.0, production Char."""


def render(report: Report) -> str:
    """A suite for each project, with the case `poll` and one for each authorization and check.

    A new finding is a failure, a failed poll an error; what the baseline knows passes.
    """
    failures = {(row.project, row.authorization, row.check): row for row in report.new}
    suites = _element("testsuites", name="servicestage-auditd")
    for snapshot in report.projects:
        project = snapshot.project.name
        cases = [_poll_case(snapshot)]
        for authorization in snapshot.authorizations or {}:
            for check in report.checks:
                failure = failures.get((project, authorization, check.name))
                cases.append(_case(project, authorization, check.name, failure))
        suites.append(_suite(project, format_instant(report.at), cases))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _suite(project: str, timestamp: str, cases: list[ET.Element]) -> ET.Element:
    suite = _element(
        "testsuite",
        name=project,
        timestamp=timestamp,
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
    )
    suite.extend(cases)
    return suite


def _poll_case(snapshot: ProjectSnapshot) -> ET.Element:
    case = _element("testcase", classname=snapshot.project.name, name="poll")
    if snapshot.failure is not None:
        case.append(_element("error", type=snapshot.failure, message=snapshot.failure_message))
    return case


def _case(project: str, authorization: str, check: str, failure: Row | None) -> ET.Element:
    case = _element("testcase", classname=f"{project}.{authorization}", name=check)
    if failure is not None:
        case.append(_element("failure", type=failure.severity, message=failure.summary))
    return case


def _element(tag: str, **attributes: str) -> ET.Element:
    return ET.Element(tag, {name: _ILLEGAL.sub("", value) for name, value in attributes.items()})
