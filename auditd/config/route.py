"""How the tree of routes is written."""

from __future__ import annotations

from auditd.alerting.matcher import parse_matcher
from auditd.alerting.route import Route
from auditd.config.constraint import DURATION, PositiveDuration
from auditd.config.form import TEXT, Made, described, items, maybe, scalar
from auditd.config.reading import Form
from auditd.config.record import Record, form_of

_MATCHER = scalar(lambda node: parse_matcher(node.text()), type="string")
_PERIOD = maybe(form_of(PositiveDuration))
_SUBROUTE: Form[Route] = Made(
    lambda node, reading: ROUTE.read(node, reading),  # noqa: PLW0108 -- ROUTE is made below
    lambda definitions: ROUTE.schema(definitions),  # noqa: PLW0108 -- ROUTE is made below
)
ROUTE: Record[Route] = Record(
    Route,
    forms={
        "hook": described(maybe(TEXT), "The name of one of `hooks`; that of the parent's."),
        "group_wait": described(
            maybe(DURATION), "How long a new group waits for more of its kind."
        ),
        "group_interval": described(_PERIOD, "How long a group waits before it tells of a change."),
        "repeat_interval": described(
            _PERIOD, "How long a group waits before it tells the same again."
        ),
        "matchers": items(_MATCHER),
        "routes": items(_SUBROUTE),
    },
)
"""A node of the tree, in `alerting.route`."""
