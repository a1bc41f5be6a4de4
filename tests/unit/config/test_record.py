from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest

from auditd.audit.plugin import Secret
from auditd.config.constraint import AT_LEAST_ONE
from auditd.config.description import field_descriptions
from auditd.config.document import Document
from auditd.config.form import described, scalar
from auditd.config.problem import Problems
from auditd.config.reading import Reading
from auditd.config.record import Record, form_of
from auditd.config.secret import Keeper
from auditd.config.secret_form import UrlSecret


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    size: int
    """How large it is."""

    def __post_init__(self) -> None:
        if self.size > 10:
            msg = "size is too large"
            raise ValueError(msg)


@dataclass(frozen=True)
class Base:
    for_: timedelta = timedelta(seconds=5)
    """How long
    it lasts."""


@dataclass(frozen=True)
class Everything(Base):
    flag: bool = False
    number: int = 1
    ratio: float = 0.5
    text: str = "t"
    colour: Colour = Colour.RED
    inner: Inner = Inner(1)
    inners: tuple[Inner, ...] = ()
    patterns: Mapping[Colour, re.Pattern[str]] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None
    file: Path | None = None
    bounded: Annotated[int, AT_LEAST_ONE] | None = None
    children: tuple[Everything, ...] = ()


@dataclass(frozen=True)
class Confidential:
    needed: Secret
    optional: Secret | None = None
    several: tuple[Secret, ...] = ()


@dataclass(frozen=True)
class Proxy:
    url: Annotated[Secret, UrlSecret(("http://", "https://"))] | None = None


def read(options: Any, text: str, directory: Path = Path()) -> tuple[Any, list[str]]:
    problems = Problems()
    root = Document(
        text, str(directory / "a.yaml"), environ={"N": "7", "B": "true"}, problems=problems
    ).read()
    assert root
    keeper = Keeper(monotonic=lambda: 0.0, on_value=lambda _: None)
    form = options if isinstance(options, Record) else form_of(options)
    value = Reading(problems, keeper).read(root, form)
    return value, [f"{p.path}: {p.message}" for p in problems.error().problems]


def test_what_is_left_out_is_the_dataclass_own_default() -> None:
    assert read(Everything, "{}") == (Everything(), [])


def test_every_kind_of_field_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    value, problems = read(
        Everything,
        """
        {for: 1h, flag: true, number: 2, ratio: 1, text: x, colour: blue,
         inner: {size: 3}, inners: [{size: 4}], patterns: {red: a+}, pattern: b+, file: f,
         bounded: 2, children: [{number: 9, children: [{text: deep}]}]}
        """,
        tmp_path,
    )
    assert problems == []
    assert value == Everything(
        for_=timedelta(hours=1),
        flag=True,
        number=2,
        ratio=1.0,
        text="x",
        colour=Colour.BLUE,
        inner=Inner(3),
        inners=(Inner(4),),
        patterns={Colour.RED: re.compile("a+")},
        pattern=re.compile("b+"),
        file=tmp_path / "f",
        bounded=2,
        children=(Everything(number=9, children=(Everything(text="deep"),)),),
    )
    assert type(value.text) is str
    assert type(value.colour) is Colour


def test_null_is_accepted_only_where_none_is_a_value() -> None:
    _, problems = read(Everything, "{pattern: null, number: null, text: ~, inners: }")
    assert problems == [
        "number: expected a whole number, found nothing",
        "text: expected text, found nothing",
        "inners: expected a list, found nothing",
    ]


def test_the_environment_can_give_numbers_and_truth_values_but_quotes_cannot() -> None:
    value, problems = read(
        Everything, "{number: '${N}', ratio: '${N}', flag: '${B}', text: '${N}'}"
    )
    assert (value.number, value.ratio, value.flag, value.text) == (7, 7.0, True, "7")
    _, problems = read(Everything, "{number: '7', ratio: '7', flag: 'true'}")
    assert len(problems) == 3


def test_all_problems_are_told_with_their_paths() -> None:
    _, problems = read(
        Everything,
        """
        for: soon
        flag: 1
        inner: {size: 3, colour: red}
        inners: [{size: 3}, {siez: 3}, {}]
        patterns: {red: '*', green: x}
        children: [{children: [{numbr: 3}]}]
        bounded: 0
        """,
    )
    assert problems == [
        "for: expected a duration such as 30s, 5m, 1h30m or 90d (largest unit first, no spaces)",
        "flag: expected true or false without quotes, found a number",
        "inner: unknown key; possible here: size",
        "inners[1].siez: unknown key; did you mean 'size'?",
        "inners[2].size: this key is required",
        "patterns.red: not a regular expression: nothing to repeat at its character 1",
        "patterns: unknown key; possible here: red, blue",
        "children[0].children[0].numbr: unknown key; did you mean 'number'?",
        "bounded: must be at least 1",
    ]


def test_what_the_dataclass_refuses_is_a_problem_of_its_mapping() -> None:
    _, problems = read(Everything, "{inners: [{size: 3}, {size: 11}]}")
    assert problems == ["inners[1]: size is too large"]


def test_a_type_that_cannot_be_configured_is_named() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: bytes

    with pytest.raises(TypeError, match="cannot have the type <class 'bytes'>"):
        form_of(Odd).schema({})


def test_a_field_may_be_written_unlike_its_type() -> None:
    size = described(scalar(lambda node: len(node.text()), type="string"), "Its length.")
    record: Record[Base] = Record(Inner, forms={"size": size})
    definitions: dict[str, Any] = {}
    record.schema(definitions)
    assert read(record, "{size: xxx}") == (Inner(3), [])
    assert definitions[f"{__name__}.Inner"]["properties"]["size"]["type"] == "string"


def test_a_secret_is_given_itself_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from file\n")
    value, problems = read(
        Confidential, "{needed: inline, optional_file: key, several: [a, b]}", tmp_path
    )
    assert problems == []
    assert value.needed.reveal() == "inline"
    assert value.optional.reveal() == "from file"
    assert [secret.reveal() for secret in value.several] == ["a", "b"]
    assert "inline" not in repr(value)


def test_several_secrets_may_be_one_or_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k")
    one, _ = read(Confidential, "{needed: x, several: a}")
    files, _ = read(Confidential, "{needed: x, several_file: [key, key]}", tmp_path)
    assert [secret.reveal() for secret in one.several] == ["a"]
    assert [secret.reveal() for secret in files.several] == ["k", "k"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "needed: this key or needed_file is required"),
        ("{needed: }", "needed: this key or needed_file is required"),
        ("{needed: x, optional: y, optional_file: z}", "optional_file: give either optional or"),
        ("{needed: x, optional_file: z}", "optional_file: the secret file z cannot be read"),
        ("{needed: x, several: []}", "several: must not be empty"),
        ("{needed: x, several: [true]}", "several[0]: expected text, found true or false"),
        ("{needed: ''}", "needed: must not be empty"),
        ("{neded: x}", "neded: unknown key; did you mean 'needed'?"),
        ("{neded_file: x}", "neded_file: unknown key; did you mean 'needed_file'?"),
        ("{needed: x, option_needed: y}", "option_needed: unknown key"),
    ],
)
def test_a_secret_that_is_not_given_well_is_one_problem(text: str, problem: str) -> None:
    _, problems = read(Confidential, text)
    (found,) = problems
    assert found.startswith(problem)


def test_both_forms_of_a_secret_are_refused(tmp_path: Path) -> None:
    _, problems = read(Confidential, "{needed: x, needed_file: key}", tmp_path)
    assert problems == ["needed_file: give either needed or needed_file, not both"]


def test_the_schema_describes_keys_with_their_docstrings_and_defaults() -> None:
    definitions: dict[str, Any] = {}
    form_of(Everything).schema(definitions)
    properties = definitions[f"{__name__}.Everything"]["properties"]
    assert properties["for"]["description"] == "How long it lasts."
    assert properties["for"]["default"] == "5s"
    assert properties["colour"]["default"] == "red"
    assert properties["number"]["default"] == 1
    assert (
        definitions[f"{__name__}.Inner"]["properties"]["size"]["description"] == "How large it is."
    )


def test_a_class_without_source_has_no_descriptions() -> None:
    assert field_descriptions(make_dataclass("Made", [("size", int)])) == {}


def test_an_address_in_a_file_is_checked_like_one_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("https://user:hunter2@proxy:1\n")
    (tmp_path / "bad").write_text("socks5://user:hunter2@proxy:1\n")
    value, _ = read(Proxy, "{url_file: good}", tmp_path)
    assert value.url.reveal() == "https://user:hunter2@proxy:1"
    _, problems = read(Proxy, "{url_file: bad}", tmp_path)
    assert problems == ["url_file: expected an address that begins with http:// or https://"]
