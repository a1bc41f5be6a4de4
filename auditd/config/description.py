"""What the code says about a field is what people read about its key."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any


def field_descriptions(options: type[Any]) -> dict[str, str]:
    """The docstring under each field of a dataclass and of those it inherits from.

    Empty for a class whose source cannot be had.
    """
    found: dict[str, str] = {}
    for ancestor in reversed(options.__mro__[:-1]):
        found |= _own_descriptions(ancestor)
    return found


def _own_descriptions(options: type[Any]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(options))
    except (OSError, TypeError):
        return {}
    (definition,) = ast.parse(source).body
    found = {}
    for field, text in pairwise(definition.body if isinstance(definition, ast.ClassDef) else ()):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(doc))
            ):
                found[name] = " ".join(doc.split())
    return found
