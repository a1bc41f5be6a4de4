import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.report.baseline import read_baseline
from auditd.report.json import render
from auditd.report.model import Report

HEAD = '"format": "servicestage-auditd/report", "version": 1'
DIRE = '{"project": "p", "check": "c", "authorization": "a", "severity": "dire"}'


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "baseline.json"
        path.write_text(text)
        return path

    return write


def test_a_report_has_nothing_new_against_itself(
    troubled: Report, written: Callable[[str], Path]
) -> None:
    report = replace(troubled, baseline=read_baseline(written(render(troubled))))
    assert report.new == ()
    assert len(report.known) == 3


def test_a_report_against_a_baseline_is_a_full_baseline_itself(
    troubled: Report, written: Callable[[str], Path]
) -> None:
    first = read_baseline(written(render(troubled)))
    part = frozenset(identity for identity in first if identity[1] == "stale")
    assert read_baseline(written(render(replace(troubled, baseline=part)))) == first


def test_a_fine_report_is_an_empty_baseline(fine: Report, written: Callable[[str], Path]) -> None:
    assert read_baseline(written(render(fine))) == frozenset()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("{", "is not JSON (Expecting property name"),
        ("[" * 100_000, "is not JSON (maximum recursion depth"),
        ("[]", "is JSON, but no report of this program"),
        ("{}", "is JSON, but no report of this program"),
        ('{"format": "sarif"}', "is JSON, but no report of this program"),
        (
            '{"format": "servicestage-auditd/report", "version": 2}',
            "is a report of version 2, not 1",
        ),
        ('{"format": "servicestage-auditd/report"}', "is a report of version None, not 1"),
        (f"{{{HEAD}}}", "holds no complete findings (KeyError('findings'))"),
        (f'{{{HEAD}, "findings": 5}}', "holds no complete findings (TypeError("),
        (f'{{{HEAD}, "findings": [5]}}', "holds no complete findings (TypeError("),
        (f'{{{HEAD}, "findings": [{{}}]}}', "holds no complete findings (KeyError('project'))"),
        (
            f'{{{HEAD}, "findings": [{{"project": "p", "check": "c", "severity": "dire"}}]}}',
            "holds no complete findings (KeyError('authorization'))",
        ),
        (f'{{{HEAD}, "findings": [{DIRE}]}}', "holds no complete findings (ValueError("),
    ],
)
def test_what_is_no_report_is_refused_with_file_fault_and_remedy(
    written: Callable[[str], Path], text: str, fault: str
) -> None:
    path = written(text)
    with pytest.raises(ValueError, match=re.escape(f"{path}: {fault}")) as caught:
        read_baseline(path)
    assert str(caught.value).endswith("; give a file that `check --format=json` wrote")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    with pytest.raises(
        ValueError, match=re.escape(f"{path}: cannot be read (No such file or directory)")
    ):
        read_baseline(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_bytes(b'{"format": "\xff"}')
    with pytest.raises(ValueError, match="is not JSON"):
        read_baseline(path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(json_values, json_values)
def test_any_other_content_is_findings_or_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, findings: object, known: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    document = {"format": "servicestage-auditd/report", "version": 1}
    path.write_text(json.dumps({**document, "findings": findings, "known_findings": known}))
    try:
        assert read_baseline(path) == frozenset()
    except ValueError as error:
        assert str(path) in str(error)  # noqa: PT017 -- either outcome is right
