"""Fleets with everything that a label, a time or a status can be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

_texts = st.text(max_size=12) | st.text(alphabet='\\"\n{},= é授a', max_size=8)
_instants = st.integers(0, 4 * 10**12).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
_timestamps = _instants | st.sampled_from(TimestampFault)
_label_names = st.from_regex(r"[a-z][a-z0-9_-]{0,3}", fullmatch=True)
_authorizations = st.builds(
    Authorization,
    name=_texts,
    repo_type=st.sampled_from(["github", "gitee", "sourcehut", ""]),
    repo_host=_texts,
    repo_user=_texts,
    token_type=_texts,
    tag=_texts,
    status=st.sampled_from(Status),
    raw_status=st.just("0"),
    created_at=_timestamps,
    updated_at=_timestamps,
)
_findings = st.builds(
    Finding,
    check=st.sampled_from(["overdue", "stale", "policy"]),
    alertname=st.just("A"),
    severity=st.sampled_from(Severity),
    authorization=_texts,
    summary=st.just("s"),
)


@st.composite
def _snapshots(draw: st.DrawFn, name: str) -> ProjectSnapshot:
    project = Project(
        name=name,
        project_id=draw(st.sampled_from(["0123456789abcdef", "fedcba9876543210"])),
        region="cn-north-4",
        credential="prod",
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        labels=tuple(sorted(draw(st.dictionaries(_label_names, _texts, max_size=3)).items())),
    )
    listed = draw(st.none() | st.lists(_authorizations, max_size=5, unique_by=lambda a: a.name))
    names = [authorization.name for authorization in listed or ()]
    return ProjectSnapshot(
        project=project,
        attempted_at=draw(st.none() | _instants),
        succeeded_at=draw(st.none() | _instants),
        failure=draw(st.none() | st.sampled_from(FailureReason)),
        authorizations=None if listed is None else {one.name: one for one in listed},
        findings=tuple(draw(st.lists(_findings, max_size=3))),
        stale_at={one: draw(_instants) for one in names[::2]},
        verifications={one: Verification(draw(st.sampled_from(Verdict)), NOON) for one in names},
    )


@st.composite
def fleets(draw: st.DrawFn) -> list[ProjectSnapshot]:
    """Up to four projects, no two of one name."""
    names = draw(st.lists(_texts.filter(bool), max_size=4, unique=True))
    return [draw(_snapshots(name)) for name in names]
