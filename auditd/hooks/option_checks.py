"""What several kinds of hook demand of their options."""

from __future__ import annotations

from urllib.parse import urlsplit


def require_at_least_one(number: int | None, key: str) -> None:
    """Raises ValueError for a number below 1; None is no limit."""
    if number is not None and number < 1:
        msg = f"{key} must be at least 1"
        raise ValueError(msg)


def require_web_url(address: str, key: str) -> None:
    """Raises ValueError for what is not an address of http or https, or has user info in it."""
    try:
        url = urlsplit(address)
        is_address = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_address = False
    if not is_address or "@" in url.netloc or address != "".join(address.split()):
        msg = f"{key} must be an address that begins with https:// or http://"
        raise ValueError(msg)
