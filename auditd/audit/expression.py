"""A user's own condition on an authorization: `update_age > "30d" and token_type == "password"`.

It reads like Python and is none: what `condition` and `operand` do not list is refused when the
configuration is loaded, values of the wrong kind included. So it can do nothing but hold or not
hold, in a time that its length limits.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from auditd.audit.authorization import Authorization
from auditd.audit.condition import Compiler, Condition, Threshold
from auditd.audit.facts import Age, Facts
from auditd.audit.operand import NAMES, FaultError

LONGEST_EXPRESSION = 1000
"""Characters."""

_MOMENT = timedelta.resolution
_END_OF_TIME = datetime.max.replace(tzinfo=UTC) - _MOMENT


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition. Two are the same when their texts are."""

    text: str
    inputs: frozenset[str] = field(compare=False)
    """The fields of an authorization that it looks at; also project, region and labels."""
    _condition: Condition = field(compare=False, repr=False)
    _thresholds: frozenset[Threshold] = field(compare=False, repr=False)

    def holds(self, facts: Facts) -> bool:
        """Whether it holds for certain: on an age that is not known nothing can be built."""
        return self._condition(facts) is True

    def turns(self, authorization: Authorization) -> set[datetime]:
        """Every instant at or just after which time alone can make a difference."""
        return {
            began_at + limit
            for age, limit in self._thresholds
            if (began_at := age.began_at(authorization)) and limit < _END_OF_TIME - began_at
        }


def beginnings(holds: Callable[[datetime], bool], turns: Iterable[datetime]) -> list[datetime]:
    """The instants, ascending, at or just after which something begins to hold.

    `turns` are all at or just after which `holds` can change.
    """
    found: list[datetime] = []
    ordered = sorted(turns)
    held = bool(ordered) and holds(ordered[0] - _MOMENT)
    for turn in ordered:
        for instant in (turn, turn + _MOMENT):
            if (is_held := holds(instant)) and not held:
                found.append(turn)
            held = is_held
    return found


def parse_expression(text: str) -> Expression:
    """The condition that a text states.

    Raises:
        ValueError: it states none; the message tells where, and quotes nothing.
    """
    if len(text) > LONGEST_EXPRESSION:
        msg = f"an expression has at most {LONGEST_EXPRESSION} characters"
        raise ValueError(msg)
    lead = len(text) - len(text.lstrip())
    source = text.strip().replace("\n", "\\\n")  # so that it may have several lines
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `"\d"`: texts are taken as they are written
        try:
            compiler = Compiler(source)
            tree = _parse(source)
            condition = compiler.condition(tree)
        except FaultError as fault:
            place = lead + _offset(fault.node, source) + 1
            msg = f"at its character {place}: {fault}"
            raise ValueError(msg) from None
    return Expression(text, _inputs(tree), condition, frozenset(compiler.thresholds))


def _inputs(tree: ast.expr) -> frozenset[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & {*NAMES}
    return frozenset(Age(name).field if name in set(Age) else name for name in names)


def _parse(source: str) -> ast.expr:
    """The tree of all that Python can read.

    Raises:
        FaultError: it cannot read this.
    """
    start = ast.Constant(None, lineno=1, col_offset=0)
    try:
        return ast.parse(source, mode="eval").body
    except SyntaxError as error:
        lines = source.split("\n")[: error.lineno or None]
        offset = error.offset - 1 if error.offset else len(lines[-1])
        hint = "; write == to compare" if lines[-1][offset : offset + 1] == "=" else ""
        column = len(lines[-1][:offset].encode())
        spot = ast.Constant(None, lineno=len(lines), col_offset=column)
        raise FaultError(spot, f"not an expression{hint}") from None
    except (ValueError, RecursionError, MemoryError):
        raise FaultError(start, "not an expression") from None


def _offset(node: ast.expr, source: str) -> int:
    """How many characters of the text stand before a node."""
    *before, line = source.split("\n")[: node.lineno]
    in_line = line.encode(errors="replace")[: node.col_offset].decode(errors="ignore")
    return sum(len(each) for each in before) + len(in_line)  # the `\\` stands for the newline
