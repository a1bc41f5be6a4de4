"""How Sphinx makes the site of these pages. `make docs` does it; warnings are errors."""
# ruff: noqa: INP001 -- a file that Sphinx reads, no package

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "servicestage-auditd"
copyright = "the authors of servicestage-auditd, Apache-2.0"  # noqa: A001 -- Sphinx's name

extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["generator"]
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # `...` in a block stands for what is left out

html_theme = "furo"
html_title = "servicestage-auditd"
html_show_sphinx = False
html_copy_source = False

_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<path>\.\./[^)#]*)(#[^)]*)?\)")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _unlink_what_is_not_here)


def _unlink_what_is_not_here(_: Sphinx, page: str, source: list[str]) -> None:
    """Files outside of this directory are links in the repository, and plain names here."""

    def replaced(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link["path"]))
        return link["text"] if target.startswith("..") else link[0]

    source[0] = _LINK.sub(replaced, source[0])
