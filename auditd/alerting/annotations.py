"""What people are told of an alert beside its labels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlencode

from auditd.alerting.alert import Alert
from auditd.alerting.exception import AcceptedFinding
from auditd.alerting.rules import Rules
from auditd.audit.duration import format_duration
from auditd.audit.finding import Finding
from auditd.audit.instant import format_instant
from auditd.audit.project import Project

_MINUTE = timedelta(minutes=1)


def annotations_of(
    finding: Finding, project: Project, rules: Rules, lapsed: AcceptedFinding | None
) -> Mapping[str, str]:
    """What stays the same while the facts do. What has nothing to say is left out.

    `lapsed` is the exception that covered the finding until it ended.
    """
    annotations = {
        "summary": finding.summary,
        "description": rules.rule_of(finding.check).description,
        "runbook_url": f"{rules.runbook_url}#{finding.alertname.lower()}"
        if rules.runbook_url
        else "",
        "console_url": console_url(rules.console_url, project),
        "exception": _describe_lapse(lapsed) if lapsed else "",
    }
    return {name: text for name, text in annotations.items() if text}


def _describe_lapse(lapsed: AcceptedFinding) -> str:
    return (
        f"accepted by {lapsed.owner} until {format_instant(lapsed.until)}, which is over;"
        f" the reason was: {lapsed.reason}"
    )


def describe_flapping(rules: Rules) -> str:
    """What is told once, and not again for each time it comes and goes."""
    window = format_duration(rules.flap_window)
    return (
        f"it fired more than {rules.flap_limit} times within {window};"
        f" it is resolved when it stays away for {window}"
    )


def annotate(alert: Alert, now: datetime) -> Mapping[str, str]:
    """All annotations as of `now`: `since`, an RFC 3339 instant, and `age` are added.

    The age of what ended is the age at which it ended. An instant that lies in the future,
    because the clock was set back, counts as now.
    """
    end = None if alert.is_open else alert.resolved_at
    age = max((end or now) - alert.since, timedelta(0))
    step = _MINUTE if age >= _MINUTE else timedelta(seconds=1)  # nobody reads the seconds of days
    return {
        **alert.annotations,
        "since": format_instant(alert.since),
        "age": format_duration(age - age % step),
    }


def console_url(base: str, project: Project) -> str:
    """Where the project's authorizations are renewed: the ServiceStage console; empty without base.

    Source: inferred. No page documents the form; links that people published look like this,
    with the IAM project's id as `agencyId`, and the place within the console (its fragment) has
    changed over the years, so none is given: from there it is Continuous Delivery, Repository
    Authorization.
    """
    return f"{base}?{_query(project.project_id, project.region)}" if base else ""


@lru_cache(maxsize=1024)
def _query(project_id: str, region: str) -> str:
    return urlencode({"agencyId": project_id, "region": region})
