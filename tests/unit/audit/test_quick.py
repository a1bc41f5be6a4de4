from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, replace

import pytest

from auditd.audit.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 7
    marks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plain:
    x: int
    y: int = 7
    marks: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize("kind", [Point, Plain])
def test_it_is_made_as_any_dataclass_is(kind: type[Point]) -> None:
    one = kind(1)
    assert (one.x, one.y, one.marks) == (1, 7, {})
    assert one == kind(x=1, marks={})
    assert kind(1).marks is not one.marks
    assert replace(one, y=2) == kind(1, 2)
    assert pickle.loads(pickle.dumps(one)) == one
    assert repr(one) == f"{kind.__name__}(x=1, y=7, marks={{}})"


@pytest.mark.parametrize("kind", [Point, Plain])
def test_what_does_not_fit_is_refused(kind: type[Point]) -> None:
    with pytest.raises(TypeError, match=r"__init__\(\) missing 1 required positional argument"):
        kind()  # type: ignore[call-arg]  # that is what is tested
    with pytest.raises(TypeError, match="unexpected keyword"):
        kind(1, z=2)  # type: ignore[call-arg]  # that is what is tested


def test_it_stays_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]  # that is what is tested
