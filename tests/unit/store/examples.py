"""Things that can be stored, and a clock that the test moves."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from auditd.alerting.alert import Alert, AlertState, EndReason, fingerprint_of
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.grouping import Group, Member
from auditd.alerting.life import Transition
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
)
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.store.opening import open_store
from auditd.store.store import Store

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
RETENTION = timedelta(days=400)

Reopen: TypeAlias = Callable[[], AbstractAsyncContextManager[Store]]
"""Opens the same store each time."""


class Clock:
    """A wall clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> datetime:
        self.at += by
        return self.at


def opened(path: Path, clock: Clock) -> AbstractAsyncContextManager[Store]:
    return opened_at(f"sqlite:///{path}", clock)


def opened_at(url: str, clock: Clock) -> AbstractAsyncContextManager[Store]:
    return open_store(url, now=clock, retention=RETENTION)


def query(path: Path, statement: str, *values: object) -> list[Any]:
    """What another program gets from, or does to, a closed database."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def a_project(name: str = "payments", project_id: str = "0123") -> Project:
    return Project(
        name=name,
        project_id=project_id,
        region="cn-north-4",
        credential="prod",
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
    )


def an_authorization(name: str = "main", user: str = "octocat") -> Authorization:
    return Authorization(
        name=name,
        repo_type="github",
        repo_host="github.com",
        repo_user=user,
        token_type="oauth",
        tag="",
        status=Status.OVERDUE,
        raw_status="1",
        created_at=START - timedelta(days=90, milliseconds=1),
        updated_at=TimestampFault.IN_SECONDS,
    )


def a_snapshot(project: str = "payments", at: datetime = START, user: str = "x") -> ProjectSnapshot:
    finding = Finding(
        check="overdue",
        alertname="GitAuthorizationOverdue",
        severity=Severity.CRITICAL,
        authorization="main",
        summary="it is overdue: „höchste Zeit“",
        since=START - timedelta(days=1),
    )
    return ProjectSnapshot(
        project=a_project(project),
        attempted_at=at,
        succeeded_at=at,
        authorizations={"main": an_authorization(user=user)},
        findings=(finding,),
        verifications={"main": Verification(Verdict.BROKEN, START)},
    )


def failed(snapshot: ProjectSnapshot, at: datetime) -> ProjectSnapshot:
    return replace(
        snapshot,
        attempted_at=at,
        failure=FailureReason.TIMEOUT,
        failure_message="no answer within 30 s",
        failures_in_a_row=snapshot.failures_in_a_row + 1,
    )


def an_alert(project: str = "payments", name: str = "main", at: datetime = START) -> Alert:
    labels = {
        "alertname": "GitAuthorizationOverdue",
        "authorization": name,
        "check": "overdue",
        "project": project,
        "severity": "critical",
    }
    return Alert(
        fingerprint=fingerprint_of(labels),
        labels=labels,
        annotations={"summary": "it is overdue"},
        state=AlertState.FIRING,
        since=START - timedelta(days=1),
        active_at=START,
        last_seen_at=at,
        fired_at=START,
        recent_firings=(START,),
    )


def resolved(alert: Alert, at: datetime) -> Alert:
    return replace(
        alert,
        state=AlertState.RESOLVED,
        resolved_at=at,
        end_reason=EndReason.CLEARED,
    )


def fired(alert: Alert) -> Transition:
    return Transition(alert, alert.last_seen_at)


def a_group(key: str = "ops:{}", *fingerprints: str) -> Group:
    return Group(
        key=key,
        route_id="ops{}",
        hook="ops",
        labels={"project": "payments"},
        first_at=START,
        members={fingerprint: Member() for fingerprint in fingerprints},
    )


def a_notification(group_key: str = "ops:{}") -> Notification:
    alert = NotifiedAlert(
        fingerprint="f",
        status=NotifiedStatus.FIRING,
        labels={"project": "payments"},
        annotations={"age": "1d"},
        starts_at=START,
        ends_at=None,
        end_reason=None,
    )
    return Notification(
        hook="ops",
        group_key=group_key,
        group_labels={"project": "payments"},
        common_labels={"project": "payments"},
        common_annotations={},
        alerts=(alert,),
        status=NotifiedStatus.FIRING,
        reason=NotificationReason.NEW,
        truncated=0,
        at=START,
    )


def a_delivery(delivery_id: str = "d1", group_key: str = "ops:{}", hook: str = "ops") -> Delivery:
    return Delivery(
        id=delivery_id,
        hook=hook,
        group_key=group_key,
        notification=a_notification(group_key),
        created_at=START,
        next_at=START,
    )


def settled(delivery: Delivery, state: DeliveryState, at: datetime = START) -> Delivery:
    error = "connection refused" if state is DeliveryState.DEAD else ""
    return replace(
        delivery, state=state, attempts=delivery.attempts + 1, settled_at=at, last_error=error
    )


def a_silence(silence_id: str = "s1", hours: float = 2) -> Silence:
    return Silence(
        id=silence_id,
        matchers=(Matcher("project", Operator.FITS, "pay.*"),),
        starts_at=START,
        ends_at=START + timedelta(hours=hours),
        author="ada",
        comment="migration",
    )


def an_acknowledgement(alert: Alert) -> Acknowledgement:
    return Acknowledgement(alert.fingerprint, alert.fired_at or START, START, "ada", "on it")


async def lines_of(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [line async for line in chunks]
