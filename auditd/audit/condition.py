"""What a user's own condition is made of: comparisons and tests, joined by and, or, not.

A condition holds, does not hold, or, where an age is not known, is undecided (None): Kleene's
logic, in which `not` of what is undecided is undecided too.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from auditd.audit.duration import parse_duration
from auditd.audit.facts import Age, Facts
from auditd.audit.operand import FaultError, Operand, Text, Texts, read_operand, unknown
from auditd.audit.pattern_cost import require_cheap

Condition: TypeAlias = Callable[[Facts], bool | None]
Threshold: TypeAlias = tuple[Age, timedelta]

_DEEPEST = 16
_OPERATORS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}
_TESTS: Mapping[str, Callable[[str, Any], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "matches": lambda text, pattern: pattern.fullmatch(text) is not None,
}


class Compiler:
    """Turns the tree of `source` into a condition, and notes the limits that ages meet in it."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.thresholds: set[Threshold] = set()

    def condition(self, node: ast.expr, depth: int = 0) -> Condition:
        """What a node says.

        Raises:
            FaultError: it is not part of the language.
        """
        if depth > _DEEPEST:
            raise FaultError(node, f"this is nested more than {_DEEPEST} deep")
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return _joined([self.condition(each, depth + 1) for each in values], until=False)
            case ast.BoolOp(values=values):
                return _joined([self.condition(each, depth + 1) for each in values], until=True)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return _negated(self.condition(inner, depth + 1))
            case ast.Compare(ops=[comparison], comparators=[_]):
                return self._comparison(node, comparison)
            case ast.Compare():
                raise FaultError(node, "compare two values at a time, and join that with and")
            case ast.Call(func=ast.Name(id=name), args=[text, other], keywords=[]):
                return self._test(node, name, text, other)
            case ast.Call(func=ast.Name()):
                raise FaultError(node, "a function takes two values, and the text comes first")
            case ast.Constant(value=bool(truth)):
                return lambda _: truth
        read_operand(node, self._source)  # a misspelt name is told of as such
        raise FaultError(node, 'expected a condition, such as status == "overdue"')

    def _test(self, node: ast.Call, name: str, *arguments: ast.expr) -> Condition:
        if name not in _TESTS:
            raise FaultError(node, unknown("function", name, _TESTS))
        text, other = (read_operand(each, self._source) for each in arguments)
        if not isinstance(text, Text) or not isinstance(other, Text):
            raise FaultError(node, "this function takes two texts")
        if name != "matches":
            return _compared(text.of, other.of, _TESTS[name])
        pattern = _pattern(arguments[1], other)
        return _compared(text.of, lambda _: pattern, _TESTS[name])

    def _comparison(self, node: ast.Compare, comparison: ast.cmpop) -> Condition:
        compare = _OPERATORS.get(type(comparison))
        if compare is None:
            raise FaultError(node, "compare with == or !=, and not with is")
        left_node, right_node = node.left, node.comparators[0]
        left, right = (read_operand(each, self._source) for each in (left_node, right_node))
        is_search = isinstance(comparison, ast.In | ast.NotIn)
        is_equality = isinstance(comparison, ast.Eq | ast.NotEq)
        match left, right:
            case Text(), Texts(words=words) if is_search:
                return _compared(left.of, lambda _: words, compare)
            case Text(), Text() if is_search or is_equality:
                return _compared(left.of, right.of, compare)
            case Age(), Age() if not is_search:
                return _compared(left.of, right.of, compare)  # time does not change this
            case Age(), Text(literal=str()) if not is_search:
                limit = self._limit(left, right_node, right)
                return _compared(left.of, lambda _: limit, compare)
            case Text(literal=str()), Age() if not is_search:
                limit = self._limit(right, left_node, left)
                return _compared(lambda _: limit, right.of, compare)
        raise FaultError(node, _misfit(left, right, is_search=is_search))

    def _limit(self, age: Age, node: ast.expr, text: Text) -> timedelta:
        try:
            limit = parse_duration(text.literal)
        except ValueError as error:
            raise FaultError(node, str(error)) from None
        self.thresholds.add((age, limit))
        return limit


def _misfit(left: Operand, right: Operand, *, is_search: bool) -> str:
    if is_search:
        return "`in` has a text before it, and a list of texts or a text after it"
    if isinstance(left, Age) or isinstance(right, Age):
        return 'an age is compared with a duration in quotes, such as "90d", or with the other age'
    if isinstance(left, Texts) or isinstance(right, Texts):
        return "a list comes after `in` only"
    return "texts are compared with == and !=; only ages have an order"


def _pattern(node: ast.expr, text: Text) -> re.Pattern[str]:
    if text.literal is None:
        raise FaultError(node, "a regular expression stands in quotes")
    try:
        require_cheap(text.literal)
        return re.compile(text.literal)
    except (re.error, OverflowError, RecursionError):
        raise FaultError(node, "not a regular expression") from None
    except ValueError as error:
        raise FaultError(node, str(error)) from None


def _compared(
    left: Callable[[Facts], Any], right: Callable[[Facts], Any], compare: Callable[[Any, Any], bool]
) -> Condition:
    def holds(facts: Facts) -> bool | None:
        one, other = left(facts), right(facts)
        return None if one is None or other is None else compare(one, other)

    return holds


def _negated(condition: Condition) -> Condition:
    def holds(facts: Facts) -> bool | None:
        verdict = condition(facts)
        return None if verdict is None else not verdict

    return holds


def _joined(conditions: Sequence[Condition], *, until: bool) -> Condition:
    """`until` decides as soon as one of the conditions is so: True for or, False for and."""

    def holds(facts: Facts) -> bool | None:
        verdicts = {condition(facts) for condition in conditions}
        if until in verdicts:
            return until
        return None if None in verdicts else not until

    return holds
