from __future__ import annotations

import pytest

from auditd.config.constraint import (
    Name,
    compile_pattern,
    is_plain_and_remote,
    parse_origin,
)
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.reading import Reading
from auditd.config.record import form_of


def read(name: str) -> object:
    node = Node(name, Place("a.yaml"), Place("a.yaml"))
    return form_of(Name).read(node, Reading(Problems()))


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://iam.example", "https://iam.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://[::1]:8443/prefix//", "https://[::1]:8443/prefix"),
    ],
)
def test_an_address_loses_the_slashes_at_its_end(written: str, origin: str) -> None:
    assert parse_origin(written) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "iam.example",
        "ftp://x",
        "https://",
        "https://x:0",
        "https://x:99999",
        "https://[::1",
        "https://x y",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="expected an address such as"):
        parse_origin(address)


@pytest.mark.parametrize("address", ["https://u:p@x", "https://u@x", "https://x?", "https://x/#"])
def test_an_address_is_only_an_address(address: str) -> None:
    with pytest.raises(ValueError, match="must not have user info"):
        parse_origin(address)


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("http://iam.example", True),
        ("http://10.0.0.1:80", True),
        ("https://iam.example", False),
        ("http://localhost:80", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:80", False),
        ("http://[::1", False),
        ("None", False),
    ],
)
def test_plain_http_matters_beyond_this_machine(address: str, answer: object) -> None:
    assert is_plain_and_remote(address) is answer


@pytest.mark.parametrize(
    "name", ["a", "prod", "cn-north-4_dev", "支付", "team/app:1@x.y+z", "1" * 128]
)
def test_names_are_words_of_any_language(name: str) -> None:
    assert read(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a b", "a\n", 'a"', "1" * 129])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 128"):
        read(name)


def test_an_odd_regular_expression_does_not_warn() -> None:
    assert compile_pattern("[[a]").fullmatch("[")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P=hunter2)", "not a regular expression: unknown group name at its character 5"),
        ("a{99999999999}", "this regular expression is too large"),
    ],
)
def test_what_is_no_regular_expression_is_explained_and_not_quoted(
    pattern: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        compile_pattern(pattern)
