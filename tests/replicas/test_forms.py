"""A proxy may send a browser to another daemon each time."""

from __future__ import annotations

import re
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.replicas.replica import Replica, wait_until
from tests.replicas.stage import Stage

pytestmark = pytest.mark.timeout(300)

SECONDS = 10.0


def test_a_form_of_one_daemons_page_is_taken_by_another(stage: Stage) -> None:
    stage.begin(2)
    one, other = (_url(replica) for replica in stage.replicas)
    token = re.search(r'id="silencing".*?name="token" value="(\w+)"', _read(one), re.DOTALL)
    assert token
    fields = {
        "token": token[1],
        "matchers": "project=p0",
        "span": "1h",
        "author": "Ann",
        "comment": "seen by both",
    }
    assert "seen by both" in _read(other, urlencode(fields).encode())
    wait_until(lambda: "seen by both" in _read(one), "the first one knows it too", SECONDS)


def _url(replica: Replica) -> str:
    (started,) = replica.told("daemon.started")
    (address,) = started["listening"]
    return f"http://{address}/silences"


def _read(url: str, form: bytes | None = None) -> str:
    """The page; after a form the one to which it leads."""
    with urlopen(url, form, timeout=SECONDS) as answer:
        return str(answer.read().decode())
