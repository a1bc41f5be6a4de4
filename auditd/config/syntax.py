"""Why a text is not YAML, in words for people.

The parser's own messages are not used: some quote the text, which may be a secret.
"""

from __future__ import annotations

from typing import cast

from yaml import Mark, MarkedYAMLError

_QUOTE = "put the text in quotes"
_COLON = (
    "a ':' is not possible here: check the indentation, and that the ':' above has a space after"
    f" it; or {_QUOTE}"
)
_IN_FLOW = ", or a text in it needs quotes"
_REFERENCE_IN_FLOW = "inside { } and [ ] put ${VAR} in quotes"
_EXPLANATIONS = (  # part of libyaml's message -> ours; the first that fits is used
    ("mapping values", _COLON),
    ("block sequence entries", "a list item ('- ') must begin on a line of its own"),
    ("block mapping", "this does not line up with the mapping around it: check the indentation"),
    ("block collection", "this does not line up with the list around it: check the indentation"),
    ("flow sequence", f"a list that is opened with '[' lacks a ',' or the closing ']'{_IN_FLOW}"),
    (
        "flow mapping",
        f"a mapping that is opened with '{{' lacks a ',' or the closing '}}'{_IN_FLOW}",
    ),
    ("node content", "a value is expected here: check brackets, braces and commas"),
    ("unknown escape", "no such escape in double quotes: write \\\\ for \\, or use single quotes"),
    ("escape code", "this escape is no Unicode character"),
    ("quoted scalar", "a quote is not closed"),
    ("simple key", f"a key needs a ':' and a space after it; or {_QUOTE}"),
    ("anchor", f"a value that begins with '&' is a YAML anchor; {_QUOTE}"),
    ("alias", f"a value that begins with '*' is a YAML alias; {_QUOTE}"),
    ("tag", f"a value that begins with '!' is a YAML tag; {_QUOTE}"),
    ("block scalar", "only a comment may follow '|' or '>' on its line; the text comes after it"),
    ("directive", "YAML directives ('%') are not supported; remove this line"),
    ("document start", "nothing can follow here: a file is one mapping of sections (`key:`)"),
    ("incompatible YAML", "this version of YAML is not supported; remove the line %YAML"),
)


def explain(error: MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line and column, both from 1, and what is wrong there.

    An unclosed quote, bracket, brace or key is reported where it begins.
    """
    said = f"{error.context or ''} {error.problem or ''}"
    mark = cast("Mark", error.problem_mark)  # the parser sets it on each error
    if "flow" in said and text[mark.index - 1 : mark.index + 1] == "${":
        return mark.line + 1, mark.column, _REFERENCE_IN_FLOW
    if "any token" in said:
        message = _forbidden_start(text[mark.index : mark.index + 1])
    else:
        message = next((ours for part, ours in _EXPLANATIONS if part in said), "this is not YAML")
    if error.context_mark and message.startswith(
        ("a quote", "a list that", "a mapping that", "a key needs")
    ):
        mark = error.context_mark
    return mark.line + 1, mark.column + 1, message


def _forbidden_start(character: str) -> str:
    if character == "\t":
        return "a tab cannot indent or separate in YAML; use spaces"
    return f"a value cannot begin with this character; {_QUOTE}"
