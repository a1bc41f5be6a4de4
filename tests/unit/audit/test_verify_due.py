from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, Status
from auditd.audit.project import Project
from auditd.audit.run import distinct
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.audit.verify_due import names_to_verify

Authorize = Callable[..., Authorization]

MILLISECOND = timedelta(milliseconds=1)
EVERY = timedelta(hours=6)


@pytest.fixture
def due(project: Project, now: datetime, authorize: Authorize) -> Callable[..., tuple[str, ...]]:
    """What is due of `listed`, with the same names listed before and verified at these ages."""

    def names(
        ages: dict[str, timedelta],
        *listed: Authorization,
        before: tuple[Authorization, ...] | None = None,
        at_most: int = 10,
    ) -> tuple[str, ...]:
        snapshot = ProjectSnapshot(
            project,
            authorizations=distinct(listed if before is None else before),
            verifications={
                name: Verification(Verdict.WORKS, now - age) for name, age in ages.items()
            },
        )
        return names_to_verify(snapshot, distinct(listed), now, every=EVERY, at_most=at_most)

    return names


Due = Callable[..., tuple[str, ...]]


def test_what_was_never_verified_is_due(due: Due, authorize: Authorize) -> None:
    assert due({}, authorize()) == ("gh-main",)


def test_everything_is_due_of_a_project_that_was_never_seen(
    project: Project, now: datetime, authorize: Authorize
) -> None:
    listed = distinct([authorize(name="b"), authorize(name="a")])
    assert names_to_verify(ProjectSnapshot(project), listed, now, every=EVERY, at_most=10) == (
        "a",
        "b",
    )


def test_exactly_the_interval_ago_is_due_and_a_millisecond_less_is_not(
    due: Due, authorize: Authorize
) -> None:
    assert due({"gh-main": EVERY}, authorize()) == ("gh-main",)
    assert due({"gh-main": EVERY - MILLISECOND}, authorize()) == ()


@pytest.mark.parametrize("field", ["status", "updated_at"])
def test_a_renewed_one_is_due_at_once(
    due: Due, authorize: Authorize, now: datetime, field: str
) -> None:
    renewed = authorize(**{field: {"status": Status.OVERDUE, "updated_at": now}[field]})
    assert due({"gh-main": MILLISECOND}, renewed, before=(authorize(),)) == ("gh-main",)


def test_another_change_does_not_make_it_due(due: Due, authorize: Authorize) -> None:
    retagged = authorize(tag="intl")
    assert due({"gh-main": MILLISECOND}, retagged, before=(authorize(),)) == ()


def test_a_name_that_came_back_is_due(due: Due, authorize: Authorize) -> None:
    assert due({"gh-main": MILLISECOND}, authorize(), before=()) == ("gh-main",)


def test_those_that_waited_longest_come_first_and_no_more_than_allowed(
    due: Due, authorize: Authorize
) -> None:
    listed = tuple(authorize(name=name) for name in ("d", "old", "never", "oldest", "also-never"))
    ages = {"d": MILLISECOND, "old": EVERY, "oldest": 3 * EVERY}
    assert due(ages, *listed) == ("also-never", "never", "oldest", "old")
    assert due(ages, *listed, at_most=3) == ("also-never", "never", "oldest")
    assert due(ages, *listed, at_most=0) == ()


@pytest.mark.parametrize(
    "name", ["", "a b", "a\n", "a\r\nX-Auth-Token: b", "naïve", "a:b", "\u0661"]
)
def test_a_name_that_could_break_out_of_a_header_is_never_chosen(
    due: Due, authorize: Authorize, name: str
) -> None:
    assert due({}, authorize(name=name), authorize(name="Aa0._-")) == ("Aa0._-",)
