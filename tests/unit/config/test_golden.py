"""Broken configurations and, word for word, what people are told of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from auditd.config.problem import ConfigError
from auditd.config.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_with_place_path_and_remedy(
    case: str, load_file: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(GOLDEN)
    expected = Path(f"{case}.txt").read_text("utf-8")
    with pytest.raises(ConfigError) as caught:
        load_file(Path(f"{case}.yaml"))
    assert f"{caught.value}\n" == expected
    assert "CANARY" not in expected
    assert "s3cr3t" not in expected


def test_there_is_a_text_for_each_case_and_a_case_for_each_text() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == CASES
    assert len(CASES) >= 40
