from __future__ import annotations

from auditd.hooks.progress import Progress


def test_what_arrived_is_remembered_until_all_of_it_has() -> None:
    progress = Progress()
    progress.of("a").add("1")
    progress.of("b").add("2")
    assert progress.of("a") == {"1"}
    progress.forget("a")
    progress.forget("a")
    assert progress.of("a") == set()
    assert progress.of("b") == {"2"}


def test_only_the_latest_messages_are_remembered() -> None:
    progress = Progress(messages=2)
    for message in ("a", "b", "a", "c"):
        progress.of(message).add("part")
    assert progress.of("a") == {"part"}
    assert progress.of("b") == set()
