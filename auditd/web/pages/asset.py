"""Files that pages are made with, under names that change with their content.

So a browser may keep them for ever, and never mixes those of two releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable

from aiohttp import hdrs, web

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_KEPT = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    url: str
    """Relative to any page: `static/live-0123456789abcdef.js`."""
    content: bytes
    content_type: str


def read_assets(folder: Traversable) -> Mapping[str, Asset]:
    """All files of a folder by their names on the disk."""
    return {file.name: _read(file) for file in folder.iterdir() if _suffix(file.name) in _TYPES}


def _read(file: Traversable) -> Asset:
    content, suffix = file.read_bytes(), _suffix(file.name)
    stem = file.name.removesuffix(suffix)
    url = f"static/{stem}-{sha256(content).hexdigest()[:16]}{suffix}"
    return Asset(url, content, _TYPES[suffix])


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


class Shelf:
    """Hands the assets out."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._by_name = {asset.url.partition("/")[2]: asset for asset in assets.values()}

    async def serve(self, request: web.Request) -> web.Response:
        """Answers `GET /static/{name}`."""
        asset = self._by_name.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(
            body=asset.content,
            content_type=asset.content_type,
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: _KEPT},
        )
