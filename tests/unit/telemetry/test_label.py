from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from auditd.telemetry.label import escaped, label_value


@given(st.text(max_size=300))
@example("a\ud800" * 200)
def test_a_label_is_cut_at_200_characters_and_can_be_encoded(text: str) -> None:
    value = label_value(text)
    assert len(value) <= 200
    assert value.encode().decode() == value


@given(st.text(alphabet='\\"\nn é', max_size=30))
def test_what_is_escaped_stays_on_its_line_and_between_its_quotes(text: str) -> None:
    written = escaped(text)
    assert "\n" not in written
    assert '"' not in written.replace(r"\\", "").replace(r"\"", "")


def test_a_label_is_cut_before_it_is_escaped() -> None:
    assert escaped('"' * 300) == r"\"" * 200
