"""Which alerts a route or a silence is about: `severity="critical"`, `team=~"pay.*"`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_UNESCAPED = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_FORM = re.compile(r"\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_EXPECTED = (
    'expected one matcher such as severity="critical" (operators: = != =~ !~; the value in double'
    " quotes as a whole)"
)


class Operator(StrEnum):
    """How a label's value is compared. Patterns must fit the whole value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    FITS = "=~"
    FITS_NOT = "!~"


_PATTERNS = frozenset({Operator.FITS, Operator.FITS_NOT})
_NEGATIONS = frozenset({Operator.NOT_EQUAL, Operator.FITS_NOT})


@dataclass(frozen=True, slots=True, order=True)
class Matcher:
    """One condition on a label; a label that an alert does not have is empty.

    Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher

    Raises:
        ValueError: the value is to be fitted and is not a regular expression.
    """

    label: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        if self.operator in _PATTERNS:
            try:
                re.compile(self.value)
            except (re.error, OverflowError, RecursionError):
                msg = f"the matcher of label {self.label} has no usable regular expression"
                raise ValueError(msg) from None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels fulfil the condition."""
        found = labels.get(self.label, "")
        if self.operator in _PATTERNS:
            is_same = re.fullmatch(self.value, found) is not None
        else:
            is_same = found == self.value
        return is_same is not (self.operator in _NEGATIONS)

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quoted(self.value)}"


def parse_matcher(text: str) -> Matcher:
    """A matcher as it is written: a label, an operator and a value, quoted or not.

    Source: https://prometheus.io/docs/alerting/latest/configuration/#matcher

    Raises:
        ValueError: it is none, or its regular expression cannot be used.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_EXPECTED)
    label, operator, value = form.groups()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "possible nested set" quotes the text
        return Matcher(label, Operator(operator), _unquoted(value))


def _unquoted(value: str) -> str:
    if found := _QUOTED.fullmatch(value):
        return re.sub(r'\\[n"\\]', lambda escape: _UNESCAPED[escape[0]], found[1])
    if '"' in value or "," in value:
        raise ValueError(_EXPECTED)
    return value


def match_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every condition is fulfilled; none at all always is."""
    return all(matcher.matches(labels) for matcher in matchers)


def quoted(value: str) -> str:
    """A value as it is written in a matcher."""
    return f'"{value.translate(_ESCAPES)}"'
