"""The page at the root: what this is, and where to go from here."""

from __future__ import annotations

import html
from base64 import b64encode
from hashlib import sha256

_STYLE = "body{font-family:sans-serif;margin:3em auto;max-width:40em;line-height:1.5}"

_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>servicestage-auditd</title><style>{_STYLE}</style></head>
<body>
<h1>servicestage-auditd</h1>
<p>Watches the Git repository authorizations of Huawei Cloud ServiceStage. Version %s.</p>
<ul>
<li><a href="metrics">Metrics</a> for Prometheus</li>
<li><a href="-/ready">Readiness</a>: was every project tried?</li>
<li><a href="-/healthy">Health</a>: does the process answer?</li>
</ul>
</body>
</html>
"""

LANDING_CSP = (
    "default-src 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Allows the page its own style and nothing else."""


def landing_page(version: str) -> str:
    """The HTML of the page. Its links are relative, so that it works behind any proxy."""
    return _PAGE % html.escape(version)
