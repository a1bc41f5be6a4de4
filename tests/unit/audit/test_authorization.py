from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from auditd.audit.authorization import Authorization, Status, TimestampFault, changed_fields


@pytest.fixture
def others(now: datetime) -> dict[str, Any]:
    """For each field a value that is not the one of `authorize()`."""
    return {
        "name": "gh-other",
        "repo_type": "gitlab",
        "repo_host": "https://gitlab.example",
        "repo_user": "用户\ud800",
        "token_type": "password",
        "tag": "intl",
        "status": Status.OVERDUE,
        "raw_status": "1",
        "created_at": TimestampFault.MISSING,
        "updated_at": now - timedelta(days=9, microseconds=1),
    }


def test_it_says_what_it_was_made_of(others: dict[str, Any]) -> None:
    made = Authorization(**others)
    assert {field.name: getattr(made, field.name) for field in fields(made)} == others
    assert Authorization(*others.values()) == made


def test_each_field_tells_it_from_others(
    authorize: Callable[..., Authorization], others: dict[str, Any]
) -> None:
    one = authorize()
    assert one == replace(one)
    assert hash(one) == hash(replace(one))
    assert one != "gh-main"
    for name, value in others.items():
        other = replace(one, **{name: value})
        assert other != one, name
        assert changed_fields(one, other) == (name,)
        assert replace(other, **{name: getattr(one, name)}) == one


def test_none_of_it_can_be_changed(
    authorize: Callable[..., Authorization], others: dict[str, Any]
) -> None:
    one = authorize()
    for name, value in others.items():
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, value)
    assert one == authorize()


def test_its_repr_names_every_field(others: dict[str, Any]) -> None:
    told = repr(Authorization(**others))
    assert all(f"{name}={value!r}" in told for name, value in others.items())


def test_what_many_have_in_common_is_there_once(authorize: Callable[..., Authorization]) -> None:
    hosts = [f"https://{name}" for name in ("git.example", "git.example")]
    assert hosts[0] is not hosts[1]
    one, other = (authorize(repo_host=host) for host in hosts)
    assert one.repo_host is other.repo_host
