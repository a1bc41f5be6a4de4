from dataclasses import replace

from auditd.alerting.labels import labels_of
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from tests.unit.alerting.examples import PROJECT, authorization, overdue

BLIND = blind_finding("payments", FailureReason.DNS, None)


def test_labels_are_sorted_and_complete() -> None:
    labels = labels_of(overdue(), PROJECT, authorization("gh-main"), {"site": "west"})
    assert list(labels.items()) == [
        ("alertname", "GitAuthorizationOverdue"),
        ("authorization", "gh-main"),
        ("check", "overdue"),
        ("project", "payments"),
        ("project_id", "0123456789abcdef0123456789abcdef"),
        ("repo_type", "github"),
        ("severity", "critical"),
        ("site", "west"),
        ("team", "pay"),
    ]


def test_a_projects_label_wins_over_a_global_one() -> None:
    assert labels_of(overdue(), PROJECT, None, {"team": "all"})["team"] == "pay"


def test_a_project_can_take_a_global_label_back() -> None:
    project = replace(PROJECT, labels=(("site", ""),))
    assert "site" not in labels_of(overdue(), project, None, {"site": "west"})


def test_our_own_labels_cannot_be_overridden() -> None:
    project = replace(PROJECT, labels=(("alertname", "Mine"), ("severity", "info")))
    labels = labels_of(overdue(), project, None, {"check": "mine", "project": "mine"})
    assert labels["alertname"] == "GitAuthorizationOverdue"
    assert labels["severity"] == "critical"
    assert (labels["check"], labels["project"]) == ("overdue", "payments")


def test_a_finding_about_the_project_has_no_labels_of_an_authorization() -> None:
    project = replace(PROJECT, labels=(("authorization", "gh-main"),))
    labels = labels_of(BLIND, project, None, {"repo_type": "github"})
    assert "authorization" not in labels
    assert "repo_type" not in labels
