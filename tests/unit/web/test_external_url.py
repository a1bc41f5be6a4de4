from __future__ import annotations

import pytest

from auditd.web.external_url import check_external_url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/auditd",
        "/a/b/",
        "http://monitoring.acme.example",
        "HTTPS://monitoring.acme.example:8443/auditd/",
        "http://[::1]:9877/audit-d_1.0~x",
    ],
)
def test_an_address_or_a_path_is_taken(text: str) -> None:
    check_external_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "auditd",
        "ftp://monitoring.acme.example/",
        "http://",
        "http://[::1",
        "http://user:password@monitoring.acme.example/",
        "http://monitoring.acme.example/?query",
        "http://monitoring.acme.example/#fragment",
        "http://monitoring.acme.example/{name}",
        "http://monitoring.acme.example/a b",
        "//monitoring.acme.example/",
        "/../auditd",
        "/auditd\n",
    ],
)
def test_what_cannot_prefix_the_pages_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"^external URL '.*: write http://HOST/PATH"):
        check_external_url(text)
