from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Listing, Status, TimestampFault
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.listed_entry import TEXT_LIMIT
from auditd.servicestage.listing import parse_listing

ENTRY = {
    "name": "test",
    "repo_type": "github",
    "repo_host": "https://api.github.com",
    "repo_home": "https://github.com/tom-repo",
    "repo_user": "tom-repo",
    "avartar": "https://avatars.example.com/u/1?v=4",
    "token_type": "oauth",
    "create_time": 1649731565642,
    "update_time": 1649731565642,
    "tag": None,
    "status": 0,
}


def listing(**fields: Any) -> Listing:
    return parse_listing(json.dumps({"authorizations": [ENTRY | fields], "count": 1}).encode())


def only(**fields: Any) -> Authorization:
    return listing(**fields).authorizations[0]


def test_the_documented_example_is_read_in_full() -> None:
    at = datetime(2022, 4, 12, 2, 46, 5, 642_000, tzinfo=UTC)
    assert listing() == Listing(
        (
            Authorization(
                name="test",
                repo_type="github",
                repo_host="https://api.github.com",
                repo_user="tom-repo",
                token_type="oauth",
                tag="",
                status=Status.NORMAL,
                raw_status="0",
                created_at=at,
                updated_at=at,
            ),
        )
    )


def test_a_name_is_enough_of_an_entry() -> None:
    entry = parse_listing(b'{"authorizations": [{"name": "a"}]}').authorizations[0]
    assert (entry.repo_type, entry.repo_host, entry.tag, entry.raw_status) == ("", "", "", "")
    assert entry.status is Status.UNKNOWN
    assert entry.created_at is entry.updated_at is TimestampFault.MISSING


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"null",
        b"[]",
        b"{}",
        b'{"count": 0}',
        b'{"authorizations": null}',
        b'{"authorizations": null, "count": 1}',
        b'{"authorizations": {}}',
        b'{"authorizations": "[]"}',
        b'{"authorizations": [null]}',
        b'{"authorizations": [1]}',
        b'{"authorizations": [{}]}',
        b'{"authorizations": [{"name": null}]}',
        b'{"authorizations": [{"name": ""}]}',
        b'{"authorizations": [{"name": " "}]}',
        b'{"authorizations": [{"name": "\\u0000"}]}',
        b'{"authorizations": [{"name": 7}]}',
        b'{"authorizations": [{"name": ["a"]}]}',
        b'{"authorizations": [{"name": "a"}, {"name": "te',
        b'{"authorizations": [{"name": "a", "status": NaN}]}',
        b'{"authorizations": []} {}',
        b"<html><body>login</body></html>",
        b'{"authorizations": [' + b"[" * 200_000,
        b'{"authorizations": [{"name": "a", "tag": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]}",
        b'{"authorizations": [{"name": "\\ud800"}]}',
        b'{"authorizations": [{"name": "\xff"}]}',
    ],
)
def test_what_is_no_list_is_malformed(body: bytes) -> None:
    with pytest.raises(PollError) as caught:
        parse_listing(body)
    assert caught.value.reason is FailureReason.MALFORMED
    assert caught.value.__cause__ is None


def test_a_page_of_html_is_named_as_such() -> None:
    with pytest.raises(PollError, match=r"HTML page.*login portal"):
        parse_listing(b"\n<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the answer is empty and not the list of authorizations; "),
        (
            b"{}",
            "the answer of 2 bytes is not the list of authorizations as documented, or was cut",
        ),
    ],
)
def test_the_message_says_what_came_and_what_should_have_come(body: bytes, said: str) -> None:
    with pytest.raises(PollError, match=f"^{said}"):
        parse_listing(body)


def test_null_beside_a_count_of_zero_is_the_empty_list() -> None:
    assert parse_listing(b'{"authorizations": null, "count": 0}') == Listing(())


def test_more_objects_than_any_project_has_are_too_large() -> None:
    with pytest.raises(PollError) as caught:
        parse_listing(b'{"authorizations": [' + b'{"name":"a"},' * 25_000 + b'{"name":"a"}]}')
    assert caught.value.reason is FailureReason.TOO_LARGE


@pytest.mark.parametrize(
    ("count", "warnings"),
    [
        ("", ()),
        (', "count": null', ()),
        (', "count": 1', ()),
        (', "count": "1"', ()),
        (', "count": 0', ("count_mismatch",)),
        (', "count": 2', ("count_mismatch",)),
        (', "count": true', ("count_mismatch",)),
        (', "count": []', ("count_mismatch",)),
    ],
)
def test_a_count_that_differs_is_a_warning(count: str, warnings: tuple[str, ...]) -> None:
    body = f'{{"authorizations": [{{"name": "a"}}]{count}}}'
    assert parse_listing(body.encode()).warnings == warnings


@pytest.mark.parametrize(
    ("sent", "status", "raw_status"),
    [
        (0, Status.NORMAL, "0"),
        (1, Status.OVERDUE, "1"),
        (2, Status.UNAUTHENTICATED, "2"),
        ("0", Status.NORMAL, "0"),
        ("1", Status.OVERDUE, "1"),
        (7, Status.UNKNOWN, "7"),
        (-1, Status.UNKNOWN, "-1"),
        ("overdue", Status.UNKNOWN, "overdue"),
        ("\u0660", Status.UNKNOWN, "\u0660"),
        (" 0", Status.UNKNOWN, " 0"),
        ("", Status.UNKNOWN, '""'),
        (None, Status.UNKNOWN, ""),
        (False, Status.UNKNOWN, "false"),
        (True, Status.UNKNOWN, "true"),
        (0.0, Status.UNKNOWN, "0.0"),
        ([0], Status.UNKNOWN, "[0]"),
        ({"code": 0}, Status.UNKNOWN, '{"code": 0}'),
        ("x" * 300, Status.UNKNOWN, "x" * TEXT_LIMIT),
        (10**300, Status.UNKNOWN, "1" + "0" * (TEXT_LIMIT - 1)),
    ],
)
def test_only_documented_statuses_are_known(sent: Any, status: Status, raw_status: str) -> None:
    entry = only(status=sent)
    assert (entry.status, entry.raw_status) == (status, raw_status)


@pytest.mark.parametrize(
    ("sent", "timestamp"),
    [
        (1649731565642, datetime(2022, 4, 12, 2, 46, 5, 642_000, tzinfo=UTC)),
        ("1649731565642", datetime(2022, 4, 12, 2, 46, 5, 642_000, tzinfo=UTC)),
        (10**11, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        (253402300799999, datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
        (253402300800000, TimestampFault.UNREADABLE),
        (10**11 - 1, TimestampFault.IN_SECONDS),
        (1649731565, TimestampFault.IN_SECONDS),
        (1, TimestampFault.IN_SECONDS),
        (0, TimestampFault.ZERO),
        ("0", TimestampFault.ZERO),
        (None, TimestampFault.MISSING),
        (-1, TimestampFault.UNREADABLE),
        (10**30, TimestampFault.UNREADABLE),
        ("9" * 5000, TimestampFault.UNREADABLE),
        ("2022-04-12", TimestampFault.UNREADABLE),
        ("", TimestampFault.UNREADABLE),
        (True, TimestampFault.UNREADABLE),
        (1649731565642.0, TimestampFault.UNREADABLE),
        ([], TimestampFault.UNREADABLE),
    ],
)
def test_times_are_exact_or_say_why_not(sent: Any, timestamp: Any) -> None:
    assert only(update_time=sent).updated_at == timestamp
    assert only(create_time=sent).created_at == timestamp


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("https://192.168.1.1:8080/gitlab", "https://192.168.1.1:8080/gitlab"),
        (
            "https://user:secret@git.example:8443/x?token=secret#secret",
            "https://git.example:8443/x",
        ),
        ("user:secret@git.example", "git.example"),
        ("https://us/er:secret@git.example", "https://git.example"),
        ("https://u:secret@" + "h" * 300, "https://" + "h" * (TEXT_LIMIT - 8)),
        ("https://" + "secret" * 100 + "@git.example", "https://git.example"),
        ("http://[::1", "http://[::1"),
        ("?secret", ""),
        (5, ""),
    ],
)
def test_hosts_are_shown_without_what_may_be_secret(sent: Any, shown: str) -> None:
    assert only(repo_host=sent).repo_host == shown


def test_kinds_are_in_lower_case() -> None:
    entry = only(repo_type="GitHub", token_type="OAuth")
    assert (entry.repo_type, entry.token_type) == ("github", "oauth")


def test_a_field_of_the_wrong_type_hides_no_authorization() -> None:
    entry = only(repo_type=1, repo_user={}, token_type=[], tag=False)
    assert (entry.repo_type, entry.repo_user, entry.token_type, entry.tag) == ("", "", "", "")


def test_texts_lose_what_does_not_print_and_what_is_too_long() -> None:
    entry = only(name="a\x00\x1b[2J\u202eb\n", repo_user="ü" * 300, tag="x" * 70_000)
    assert entry.name == "a[2Jb"
    assert entry.repo_user == "ü" * TEXT_LIMIT
    assert entry.tag == ""


def test_duplicates_and_order_are_kept() -> None:
    body = b'{"authorizations": [{"name": "b"}, {"name": "a"}, {"name": "b"}]}'
    assert [entry.name for entry in parse_listing(body).authorizations] == ["b", "a", "b"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENTRIES = st.dictionaries(st.sampled_from(sorted(ENTRY)) | st.text(), VALUES) | VALUES
BODIES = st.fixed_dictionaries(
    {}, optional={"authorizations": st.lists(ENTRIES, max_size=4) | VALUES, "count": VALUES}
)


def is_clean(text: str) -> bool:
    return len(text) <= TEXT_LIMIT and text.isprintable()


def assert_list_or_malformed(body: bytes) -> None:
    parsed: Listing | FailureReason
    try:
        parsed = parse_listing(body)
    except PollError as error:
        parsed = error.reason
    if not isinstance(parsed, Listing):
        assert parsed is FailureReason.MALFORMED
        return
    for entry in parsed.authorizations:
        texts = (entry.repo_type, entry.repo_user, entry.token_type, entry.tag, entry.raw_status)
        assert all(map(is_clean, (entry.name, entry.repo_host, *texts)))
        assert entry.name.strip()
        assert not set(entry.repo_host) & set("@?#")
        for at in (entry.created_at, entry.updated_at):
            assert isinstance(at, TimestampFault) or at.utcoffset() is not None


@given(st.binary())
def test_any_bytes_are_a_list_or_malformed(body: bytes) -> None:
    assert_list_or_malformed(body)


@given(BODIES)
@example({"authorizations": [{"name": "\ud800"}]})
def test_any_json_is_a_list_or_malformed(body: Any) -> None:
    assert_list_or_malformed(json.dumps(body).encode())


GOOD = json.dumps({"authorizations": [ENTRY, ENTRY], "count": 2}).encode()


@given(at=st.integers(0, len(GOOD)), removed=st.integers(0, 20), added=st.binary(max_size=20))
def test_a_mutilated_list_is_a_list_or_malformed(at: int, removed: int, added: bytes) -> None:
    assert_list_or_malformed(GOOD[:at] + added + GOOD[at + removed :])


@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_list_is_never_a_shorter_list(at: int) -> None:
    with pytest.raises(PollError):
        parse_listing(GOOD[:at])


def body_of(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"authorizations": entries, "count": len(entries)}).encode()


def test_the_same_body_is_the_very_same_listing() -> None:
    body = body_of(ENTRY, ENTRY | {"name": "other"})
    known = parse_listing(body)
    assert parse_listing(bytes(bytearray(body)), known) is known


def test_another_body_has_the_very_authorizations_that_did_not_change() -> None:
    other = ENTRY | {"name": "other"}
    known = parse_listing(body_of(ENTRY, other))
    changed = parse_listing(body_of(other | {"status": 1}, ENTRY), known)
    assert changed == parse_listing(body_of(other | {"status": 1}, ENTRY))
    assert changed.authorizations[1] is known.authorizations[0]


def test_what_the_reader_did_not_make_is_not_taken_for_known() -> None:
    body = body_of(ENTRY)
    assert parse_listing(body, Listing(())) == parse_listing(body)


@given(
    st.dictionaries(
        st.sampled_from([*ENTRY]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.lists(st.integers(), max_size=2)
        | st.sampled_from(["7", "0", "-1", "1649731565642"]),
    )
)
def test_the_quick_way_reads_what_the_careful_one_does(fields: dict[str, Any]) -> None:
    # What no quick reader takes sends the entry the careful way; no field of ours has this name.
    entry = ENTRY | fields
    long = entry | {"avartar": "x" * 70_000}
    assert _outcome(body_of(entry)) == _outcome(body_of(long))


def _outcome(body: bytes) -> Listing | str:
    try:
        return parse_listing(body)
    except PollError as error:
        return error.reason
