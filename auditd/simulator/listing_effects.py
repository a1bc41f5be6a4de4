"""What a fault does to the content of a list: sound JSON that says odd things."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from aiohttp import web

from auditd.simulator.exchange import Exchange
from auditd.simulator.section import Section

_Answer: TypeAlias = dict[str, Any]


def _set(key: str, value: object) -> Callable[[_Answer], _Answer]:
    return lambda answer: answer | {key: value}


def _drop(key: str) -> Callable[[_Answer], _Answer]:
    return lambda answer: {name: value for name, value in answer.items() if name != key}


def _each(change: Callable[[_Answer], _Answer]) -> Callable[[_Answer], _Answer]:
    return lambda answer: (
        answer | {"authorizations": [change(entry) for entry in answer["authorizations"]]}
    )


def _add_seven(answer: _Answer) -> _Answer:
    return answer | {"count": answer["count"] + 7}


def _repeat_first(answer: _Answer) -> _Answer:
    entries = answer["authorizations"]
    return {"authorizations": entries[:1] + entries, "count": len(entries[:1]) + len(entries)}


def _swap_case(entry: _Answer) -> _Answer:
    return entry | {
        "repo_type": entry["repo_type"].swapcase(),
        "token_type": entry["token_type"].swapcase(),
    }


def _in_seconds(entry: _Answer) -> _Answer:
    times = {
        key: None if entry[key] is None else entry[key] // 1000
        for key in ("create_time", "update_time")
    }
    return entry | times


def _status_text(entry: _Answer) -> _Answer:
    return entry | {"status": str(entry["status"])}


_NO_TIMES = {"create_time": None, "update_time": None}
_ZERO_TIMES = {"create_time": 0, "update_time": 0}

_CHANGES: dict[str, Callable[[_Answer], _Answer]] = {
    "missing_list": _drop("authorizations"),
    "null_list": _set("authorizations", None),
    "missing_count": _drop("count"),
    "count_mismatch": _add_seven,
    "duplicate": _repeat_first,
    "missing_tag": _each(_drop("tag")),
    "missing_name": _each(_drop("name")),
    "mixed_case": _each(_swap_case),
    "status_text": _each(_status_text),
    "status_word": _each(lambda entry: entry | {"status": "overdue"}),
    "status_null": _each(lambda entry: entry | {"status": None}),
    "status_unknown": _each(lambda entry: entry | {"status": 7}),
    "null_times": _each(lambda entry: entry | _NO_TIMES),
    "zero_times": _each(lambda entry: entry | _ZERO_TIMES),
    "times_in_seconds": _each(_in_seconds),
}


class ListingEffect(Section):
    """The list, with one kind of oddity in it. Meant for `list_authorizations`."""

    type: Literal["listing"]
    change: Literal[
        "missing_list",
        "null_list",
        "missing_count",
        "count_mismatch",
        "duplicate",
        "missing_tag",
        "missing_name",
        "mixed_case",
        "status_text",
        "status_word",
        "status_null",
        "status_unknown",
        "null_times",
        "zero_times",
        "times_in_seconds",
    ]

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The changed list; an answer that is no list stays as it is."""
        response = await exchange.proceed()
        answer = json.loads(response.body) if isinstance(response.body, bytes) else None
        if not isinstance(answer, dict) or "authorizations" not in answer:
            return response
        changed = json.dumps(_CHANGES[self.change](answer)).encode()
        return web.Response(body=changed, headers={"Content-Type": "application/json;charset=utf8"})
