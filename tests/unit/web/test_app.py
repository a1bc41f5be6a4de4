from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from auditd.web.address import Address
from auditd.web.health import Readiness
from auditd.web.listener import listen

PAGES = ["/metrics", "/-/healthy", "/-/ready"]


async def test_metrics_are_rendered_as_the_scraper_asks(client: ClientSession, daemon: Any) -> None:
    headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip"}
    async with client.get("/metrics?name[]=a&name[]=b&x=y", headers=headers) as response:
        assert response.status == 200
        assert await response.text() == "one 1.0\n"
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4"
        assert response.headers["Vary"] == "Accept"
    assert daemon.asked == [("text/plain;version=0.0.4", "gzip", ["a", "b"])]


async def test_repeated_accept_headers_count_as_one_list(
    client: ClientSession, daemon: Any
) -> None:
    async with client.get("/metrics", headers=[("Accept", "a/b"), ("Accept", "c/d")]):
        pass
    assert daemon.asked[0][0] == "a/b,c/d"


async def test_a_process_that_answers_is_healthy(client: ClientSession, daemon: Any) -> None:
    daemon.readiness = Readiness(("37 of 200 projects not tried yet",))
    async with client.get("/-/healthy") as response:
        assert response.status == 200
        assert await response.text() == "servicestage-auditd is healthy.\n"


async def test_it_is_ready_when_nothing_is_missing(client: ClientSession) -> None:
    async with client.get("/-/ready") as response:
        assert response.status == 200
        assert await response.text() == "servicestage-auditd is ready.\n"


async def test_it_says_what_it_is_not_ready_for(client: ClientSession, daemon: Any) -> None:
    daemon.readiness = Readiness(("37 of 200 projects not tried yet", "state is not writable"))
    async with client.get("/-/ready") as response:
        assert response.status == 503
        assert await response.text() == "37 of 200 projects not tried yet\nstate is not writable\n"
        assert response.content_type == "text/plain"


@pytest.mark.parametrize("page", [*PAGES, "/nothing-here"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_every_answer_carries_the_security_headers(
    client: ClientSession, page: str, method: str
) -> None:
    async with client.request(method, page) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert response.headers["Server"] == "servicestage-auditd"


@pytest.mark.parametrize("page", PAGES)
async def test_head_answers_like_get_without_a_body(client: ClientSession, page: str) -> None:
    async with client.get(page) as got, client.head(page) as head:
        assert (head.status, head.content_length) == (got.status, got.content_length)
        assert await head.read() == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("page", PAGES)
async def test_other_methods_are_refused(client: ClientSession, page: str, method: str) -> None:
    async with client.request(method, page) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"
        assert response.content_type == "text/plain"


async def test_an_unknown_page_is_not_found_in_plain_text(client: ClientSession) -> None:
    async with client.get("/<script>") as response:
        assert response.status == 404
        assert response.content_type == "text/plain"
        assert "script" not in await response.text()


async def test_a_failure_inside_shows_nothing_of_it(client: ClientSession, daemon: Any) -> None:
    daemon.is_broken = True
    async with client.get("/metrics") as response:
        assert response.status == 500
        assert "secret-in-a-traceback" not in await response.text()


async def test_the_path_of_the_external_url_prefixes_every_page(daemon: Any) -> None:
    app = daemon.app("https://monitoring.acme.example/auditd/")
    async with (
        listen(app, [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as client,
    ):
        for page in PAGES:
            async with client.get(f"/auditd{page}") as response:
                assert response.status == 200
        for page in ("/", "/auditd"):
            async with client.get(page, allow_redirects=False) as response:
                assert (response.status, response.headers["Location"]) == (302, "/auditd/")
        async with client.get("/metrics") as response:
            assert response.status == 404
