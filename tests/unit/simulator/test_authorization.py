from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from auditd.simulator.authorization import AuthorizationPatch, AuthorizationSpec

ZERO = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
DAY = 86_400_000
ZERO_MS = 1768465800000


def wire(**how: Any) -> dict[str, Any]:
    return AuthorizationSpec.model_validate({"name": "a"} | how).at(ZERO).to_wire()


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("normal", 0),
        ("overdue", 1),
        ("unauthenticated", 2),
        (7, 7),
        ("1", "1"),
        ("late", "late"),
        (None, None),
    ],
)
def test_words_become_numbers_and_all_else_is_sent_raw(written: object, sent: object) -> None:
    assert wire(status=written)["status"] == sent


@pytest.mark.parametrize(
    ("repo_type", "host", "home"),
    [
        ("github", "https://api.github.com", "https://github.com/acme"),
        ("GitHub", "https://api.github.com", "https://github.com/acme"),
        ("gitlab", "https://gitlab.com/api/v4", "https://gitlab.com/acme"),
        ("svn", "", "/acme"),
    ],
)
def test_official_hosts_are_filled_in(repo_type: str, host: str, home: str) -> None:
    entry = wire(repo_type=repo_type)
    assert (entry["repo_type"], entry["repo_host"], entry["repo_home"]) == (repo_type, host, home)


def test_a_private_host_stays() -> None:
    entry = wire(repo_type="gitlab", repo_host="https://git.example", repo_home="")
    assert (entry["repo_host"], entry["repo_home"]) == ("https://git.example", "")


def test_times_may_be_offsets_raw_or_absent() -> None:
    entry = wire(created="-1d", updated=None)
    assert (entry["create_time"], entry["update_time"]) == (ZERO_MS - DAY, None)
    assert wire(updated=0)["update_time"] == 0


def test_the_verdict_is_no_part_of_the_list() -> None:
    assert "verdict" not in wire(verdict="broken")


@pytest.mark.parametrize("how", [{"verdict": "maybe"}, {"name": 5}, {"colour": 1}, {"status": 1.5}])
def test_what_is_no_authorization_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        wire(**how)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from([0, 1, 2, None, "x"]),
            "tag": st.sampled_from([None, "intl"]),
            "repo_user": st.text(max_size=5),
            "token_type": st.sampled_from(["oauth", "personal"]),
        },
    )
)
def test_a_patch_changes_what_it_names_and_nothing_else(given_keys: dict[str, Any]) -> None:
    before = AuthorizationSpec(name="a", status=9, tag="t").at(ZERO)
    after = AuthorizationPatch.model_validate(given_keys).apply(before, ZERO)
    for key in type(before).__dataclass_fields__:
        assert getattr(after, key) == given_keys.get(key, getattr(before, key))
