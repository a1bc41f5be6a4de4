from __future__ import annotations

import json
import logging
import os
import pty
import re
import tempfile
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest

from auditd.telemetry.log import open_log
from auditd.telemetry.redactor import Redactor

CANARY = "correct-horse-battery-staple"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def written(
    log: Callable[[Any], object],
    *,
    stream: StringIO | None = None,
    **options: Any,
) -> str:
    """What a log has on its stream after `log` was called with its logger."""
    redactor = Redactor()
    redactor.register(CANARY)
    stream = stream or StringIO()
    arguments: dict[str, Any] = {"level": "info", "redactor": redactor, "environment": {}}
    with open_log(stream, **arguments | options) as opened:
        log(opened.logger)
    return stream.getvalue()


def fail(message: str) -> None:
    password = CANARY
    raise ValueError(message or password)


def test_a_json_line_begins_with_timestamp_level_and_event() -> None:
    text = written(lambda log: log.info("poll.finished", project="p", findings=2))
    line = json.loads(text)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {"level": "info", "event": "poll.finished", "project": "p", "findings": 2}


def test_a_stream_that_is_no_terminal_gets_json_and_a_terminal_columns() -> None:
    assert written(lambda log: log.info("a.b")).startswith("{")
    assert not written(lambda log: log.info("a.b"), stream=Terminal()).startswith("{")
    assert written(lambda log: log.info("a.b"), stream=Terminal(), format="json").startswith("{")
    assert "a.b" in written(lambda log: log.info("a.b"), format="console")


@pytest.mark.parametrize(
    ("stream", "environment", "is_colored"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (StringIO(), {}, False),
    ],
)
def test_only_a_terminal_that_wants_colors_gets_them(
    stream: StringIO, environment: dict[str, str], *, is_colored: bool
) -> None:
    text = written(
        lambda log: log.info("a.b"), stream=stream, format="console", environment=environment
    )
    assert ("\x1b[" in text) is is_colored


def test_what_is_below_the_level_is_not_written() -> None:
    text = written(lambda log: (log.info("a.b"), log.warning("c.d")), level="warning")
    assert json.loads(text)["event"] == "c.d"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_every_level_shows_itself_and_what_is_above(level: str) -> None:
    levels = ["debug", "info", "warning", "error", "critical"]
    shown = written(lambda log: [getattr(log, each)("a.b") for each in levels], level=level)
    told = [json.loads(line)["level"] for line in shown.splitlines()]
    assert told == levels[levels.index(level) :]


@pytest.mark.parametrize("format_", ["json", "console"])
def test_foreign_text_cannot_steer_a_terminal_or_pass_for_a_line(format_: str) -> None:
    evil = 'x\n2026-01-01 [error] forged\r\x1b[2J\x9b31m\x00\u2028\u202e\U000e0001\ud800 ü 中 "'
    text = written(
        lambda log: log.info("a.b", text=evil, list=[evil]),
        stream=StringIO(),
        format=format_,
    )
    assert text.removesuffix("\n").isprintable()
    assert "中" in text


def test_json_holds_foreign_text_unchanged() -> None:
    evil = "x\n\x1b[2J\x9b\u2028\U000e0001 ü 中 \"'\\"
    assert json.loads(written(lambda log: log.info("a.b", text=evil)))["text"] == evil


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_has_no_values_of_variables(format_: str) -> None:
    def log(logger: Any) -> None:
        try:
            fail(f"went wrong with {CANARY}")
        except ValueError:
            logger.exception("a.b", context={"deep": [CANARY]}, object=Exception(CANARY))

    text = written(log, format=format_)
    assert "in fail" in text or '"fail"' in text
    assert "went wrong with ***" in text
    assert CANARY not in text


def test_a_traceback_cannot_forge_a_console_line() -> None:
    def log(logger: Any) -> None:
        try:
            fail("x\n2026-01-01 [error] forged\x1b[2J")
        except ValueError:
            logger.exception("a.b")

    first, *rest = written(log, format="console").splitlines()
    assert "a.b" in first
    assert rest
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_what_cannot_be_json_is_written_as_its_representation() -> None:
    line = json.loads(written(lambda log: log.info("a.b", at=re.compile("x"), names={"y"})))
    assert line["at"] == "re.compile('x')"
    assert line["names"] == ["y"]


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_field_cannot_pass_for_the_time_or_the_level(format_: str) -> None:
    text = written(lambda log: log.info("a.b", level="error", timestamp="old"), format=format_)
    assert "info" in text
    assert "error" not in text
    assert "old" not in text


@pytest.mark.parametrize("odd", [{}, {"at": re.compile("x")}, {"text": "\ud800"}])
def test_all_lines_are_spaced_alike(odd: dict[str, Any]) -> None:
    fields = {"count": 1, "share": 0.25, "names": ("a", "b"), "known": None, "is": {"so": True}}
    text = written(lambda log: log.info("a.b", **fields, **odd))
    told = '"count": 1, "share": 0.25, "names": ["a", "b"], "known": null, "is": {"so": true}'
    assert f'"level": "info", "event": "a.b", {told}' in text
    assert text.count(": ") == 9 + len(odd)


def test_libraries_are_heard_from_warning_on() -> None:
    def log(_logger: Any) -> None:
        logging.getLogger("apscheduler").info("quiet")
        logging.getLogger("apscheduler").warning("late by %s", "1 s")

    line = json.loads(written(log))
    del line["timestamp"]
    assert line == {
        "level": "warning",
        "event": "library.logged",
        "logger": "apscheduler",
        "message": "late by 1 s",
    }


def test_at_debug_libraries_are_heard_entirely() -> None:
    def log(_logger: Any) -> None:
        logging.getLogger("aiohttp.access").debug("GET /")
        logging.getLogger("odd").log(25, "between")

    lines = [json.loads(line) for line in written(log, level="debug").splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("debug", "GET /"),
        ("info", "between"),
    ]


def test_wrong_format_arguments_of_a_library_are_survived() -> None:
    text = written(lambda _log: logging.getLogger("x").error("%d of them", "one"))
    assert json.loads(text)["message"] == "%d of them"


def test_a_flood_of_library_errors_is_held_back(seconds: Any) -> None:
    def log(_logger: Any) -> None:
        server = logging.getLogger("aiohttp.server")
        for peer in range(1000):
            server.error("Error handling request from %s", peer)
        server.error("something else")
        seconds.advance(60)
        server.error("Error handling request from %s", "last")

    lines = [json.loads(line) for line in written(log, monotonic=seconds).splitlines()]
    assert [line["message"] for line in lines] == [
        "Error handling request from 0",
        "something else",
        "Error handling request from last",
    ]
    assert lines[-1]["suppressed"] == 999


def test_warnings_are_logged() -> None:
    def log(_logger: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=True)  # catch_warnings put the original back
            warnings.warn("old thing", stacklevel=1)

    assert "old thing" in json.loads(written(log))["message"]


def test_afterwards_logging_is_as_before() -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level, warnings.showwarning
    written(lambda _log: None)
    assert (root.handlers, root.level, warnings.showwarning) == before


def test_in_the_journal_lines_begin_with_their_priority() -> None:
    with tempfile.TemporaryFile("w+") as stream:
        status = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        with open_log(
            stream, level="debug", redactor=Redactor(), environment=environment
        ) as opened:
            for level in ("debug", "info", "warning", "error", "critical"):
                getattr(opened.logger, level)("a.b")
        stream.seek(0)
        assert [line[:4] for line in stream] == ["<7>{", "<6>{", "<4>{", "<3>{", "<2>{"]


def test_in_the_journal_each_line_of_a_traceback_has_the_priority() -> None:
    with tempfile.TemporaryFile("w+") as stream:
        status = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        with open_log(
            stream, level="info", format="console", redactor=Redactor(), environment=environment
        ) as opened:
            opened.logger.error("a.b", exc_info=ValueError("x"))
        stream.seek(0)
        lines = stream.readlines()
    assert len(lines) > 1
    assert all(line.startswith("<3>") for line in lines)


def test_the_journal_of_another_service_is_not_ours() -> None:
    environment = {"JOURNAL_STREAM": "1:1"}
    assert written(lambda log: log.info("a.b"), environment=environment).startswith("{")


def test_a_real_terminal_gets_columns_and_colors() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        with open_log(stream, level="info", redactor=Redactor(), environment={}) as opened:
            opened.logger.info("daemon.started", version="1")
        text = os.read(leader, 4096).decode()
    os.close(leader)
    assert "\x1b[" in text
    assert "daemon.started" in text


def test_dropped_lines_are_counted() -> None:
    reader, descriptor = os.pipe()
    with (
        os.fdopen(descriptor, "w") as stream,
        open_log(stream, level="info", redactor=Redactor(), queue_size=10) as opened,
    ):
        for _ in range(2000):
            opened.logger.info("a.b", padding="x" * 1000)
        assert opened.dropped_lines() > 1000
        os.close(reader)
