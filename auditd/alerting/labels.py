"""The labels of an alert: what it is routed, grouped, silenced and identified by."""

from __future__ import annotations

from collections.abc import Mapping

from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding
from auditd.audit.project import Project


def labels_of(
    finding: Finding,
    project: Project,
    authorization: Authorization | None,
    global_labels: Mapping[str, str],
) -> Mapping[str, str]:
    """Sorted by name. A project's label wins over a global one, our own over both.

    A label whose value is empty is left out, because that is what an empty label means; so a
    project can take a global label back. What changes by itself, like an age, is never a label.

    Source: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
    """
    labels = {
        **global_labels,
        **dict(project.labels),
        "alertname": finding.alertname,
        "authorization": finding.authorization,
        "check": finding.check,
        "project": project.name,
        "project_id": project.project_id,
        "repo_type": authorization.repo_type if authorization else "",
        "severity": str(finding.severity),
    }
    return {name: labels[name] for name in sorted(labels) if labels[name]}
