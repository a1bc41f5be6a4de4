"""Which alerts a route takes: `severity="critical"`, `team=~"pay.*"`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from auditd.config.constraint import compile_pattern
from auditd.config.form import scalar

_FORM = re.compile(r"""\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*""", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_EXPECTED = (
    'expected one matcher such as severity="critical" (operators: = != =~ !~; the value in double'
    " quotes as a whole)"
)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


class Operator(StrEnum):
    """How a label's value is compared. Patterns must fit the whole value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    FITS = "=~"
    FITS_NOT = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a label that an alert does not have is empty."""

    label: str
    operator: Operator
    value: str


def parse_matcher(text: str) -> Matcher:
    """A matcher as in Alertmanager: a label, an operator and a value, quoted or not.

    Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher

    Raises:
        ValueError: it is none, or its regular expression cannot be used.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_EXPECTED)
    label, operator, value = form.groups()
    matcher = Matcher(label, Operator(operator), _unquoted(value))
    if matcher.operator in {Operator.FITS, Operator.FITS_NOT}:
        compile_pattern(matcher.value)
    return matcher


def _unquoted(value: str) -> str:
    if quoted := _QUOTED.fullmatch(value):
        return re.sub(r'\\[n"\\]', lambda escape: _ESCAPES[escape[0]], quoted[1])
    if '"' in value or "," in value:
        raise ValueError(_EXPECTED)
    return value


AlertMatcher = Annotated[Matcher, scalar(lambda node: parse_matcher(node.text()), type="string")]
