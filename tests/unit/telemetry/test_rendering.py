from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote_plus

from hypothesis import example, given
from hypothesis import strategies as st

from auditd.telemetry.redactor import Redactor
from auditd.telemetry.rendering import json_processors

SECRETS = (
    "correct-horse",
    'sta"ple',
    "back\\slash\\",
    "two\nlines",
    "zwölf中\u2028",
    "\x7f\x1bctl",
)
SPELLED = sorted(
    spell(secret)
    for secret in SECRETS
    for spell in (
        str,
        json.dumps,
        repr,
        quote_plus,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: b64encode(text.encode()).decode(),
        lambda text: text[:6],
    )
)

texts = st.lists(
    st.text(max_size=5) | st.sampled_from(SPELLED) | st.sampled_from('\\"{}\x7f\n '),
    max_size=4,
).map("".join)
scalars = texts | st.integers(-(2**53), 2**53) | st.floats(0.001, 1e6) | st.booleans() | st.none()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.sampled_from(["a", "token", "authorization"]), inner, max_size=2)
    ),
    max_leaves=5,
)
fields = st.dictionaries(
    st.sampled_from(["project", "count", "token", "token_type", "authorization", "level"]) | texts,
    values,
    max_size=5,
)


@given(event=fields, known=st.sets(st.sampled_from(SECRETS)))
@example({}, set())
@example({"authorization": "Bearer abc"}, set())
@example({"authorization": "gh-prod", "text": '"quoted"'}, set(SECRETS))
@example({"before": {"token": "x"}}, set())
@example({"text": json.dumps('sta"ple')}, {'sta"ple'})
def test_a_line_is_what_the_standard_library_writes_of_a_cleaned_event(
    event: dict[str, Any], known: set[str]
) -> None:
    redactor = Redactor()
    for secret in known:
        redactor.register(secret)
    (line,) = json_processors(redactor)
    told = {key: value for key, value in event.items() if key not in {"event", "exc_info"}}

    text = line(None, "info", {**told, "event": "a.b"})

    rest = {key: told[key] for key in told if key not in {"timestamp", "level"}}
    head = {"timestamp": str(text)[15:42], "level": "info", "event": "a.b"}
    cleaned = json.dumps(redactor(None, "info", {**head, **rest}), ensure_ascii=False)
    assert text == redactor.redact("".join(map(printable, cleaned)))


def printable(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]
