import re
from collections.abc import Callable

import pytest

from auditd.audit.authorization import Authorization
from auditd.audit.match import MatchField, matches
from auditd.audit.project import Project

Authorize = Callable[..., Authorization]

VALUES = {
    MatchField.PROJECT: "payments",
    MatchField.REGION: "cn-north-4",
    MatchField.AUTHORIZATION: "gh-main",
    MatchField.REPO_TYPE: "github",
    MatchField.REPO_HOST: "https://api.github.com",
    MatchField.REPO_USER: "octocat",
    MatchField.TOKEN_TYPE: "oauth",
    MatchField.TAG: "intl",
}


@pytest.mark.parametrize("field", MatchField)
def test_each_field_is_compared_with_its_own_value(
    authorize: Authorize, project: Project, field: MatchField
) -> None:
    authorization = authorize(tag="intl")
    assert matches({field: re.compile(re.escape(VALUES[field]))}, project, authorization)
    assert not matches({field: re.compile("something else")}, project, authorization)


@pytest.mark.parametrize("pattern", ["pay", "ments", "ayment", "", "payments|x\n"])
def test_a_pattern_must_fit_the_whole_value(
    authorize: Authorize, project: Project, pattern: str
) -> None:
    expected = pattern == "payments|x\n"
    match = {MatchField.PROJECT: re.compile(pattern)}
    assert matches(match, project, authorize()) is expected


def test_every_field_must_fit(authorize: Authorize, project: Project) -> None:
    match = {MatchField.PROJECT: re.compile("pay.*"), MatchField.TAG: re.compile("intl")}
    assert matches(match, project, authorize(tag="intl"))
    assert not matches(match, project, authorize(tag=""))


def test_an_empty_field_fits_a_pattern_that_allows_nothing(
    authorize: Authorize, project: Project
) -> None:
    assert matches({MatchField.TAG: re.compile("")}, project, authorize(tag=""))
