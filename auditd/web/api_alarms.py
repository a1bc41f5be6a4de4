"""The part of the API that tells of alerts, silences, hooks and deliveries, and changes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import UNSET

from auditd.alerting.alert import Alert
from auditd.alerting.silence import Silence
from auditd.web.api_answer import ApiError, ErrorType, asking_the_office
from auditd.web.api_demand import Demand, guard_patterns, has_text
from auditd.web.api_fields import check_instant, check_line, check_lines, read_matchers
from auditd.web.api_input import (
    AcknowledgementInput,
    ExpiryInput,
    NothingInput,
    SilenceInput,
)
from auditd.web.api_page import Key, Page, Slices, from_groups, make_page, read_cursor, write_cursor
from auditd.web.api_query import AlertQuery, DeliveryQuery, Query, SilenceQuery
from auditd.web.api_route import Call
from auditd.web.api_view import (
    AlertView,
    DeliveryView,
    HookView,
    SilenceView,
    view_alert,
    view_delivery,
    view_hook,
    view_silence,
    view_whole_delivery,
)
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice


class AlarmsApi:
    """One method a route; each returns what is shown."""

    def __init__(
        self, office: AlertOffice, guard: Guard, slices: Slices, now: Callable[[], datetime]
    ) -> None:
        self._office = office
        self._guard = guard
        self._slices = slices
        self._now = now

    async def alerts(self, call: Call[AlertQuery, None]) -> Page[AlertView]:
        """All that fit, by project, check and authorization."""
        query, now = call.query, self._now()
        guard_patterns(query, self._guard, call.request)
        demand = Demand(query)
        states, alertnames = frozenset(query.state), frozenset(query.alertname)
        of_project: dict[str, list[Alert]] = defaultdict(list)

        def sort(alert: Alert) -> None:
            of_project[alert.labels["project"]].append(alert)

        def view(alert: Alert) -> AlertView | None:
            labels = alert.labels
            is_wanted = (
                (not states or alert.state in states)
                and (not alertnames or labels["alertname"] in alertnames)
                and demand.suits_grade(labels["check"], labels["severity"])
                and demand.suits(lambda: labels, alert.annotations.get("summary", ""))
            )
            return view_alert(alert, self._office.suppression(alert), now) if is_wanted else None

        await self._slices.each(self._office.known, sort)
        rows = from_groups(lambda: of_project, query, _ordered, query.project)
        return await make_page(self._slices, query, rows, view)

    async def acknowledge(self, call: Call[Query, AcknowledgementInput]) -> None:
        """The author knows of the alert."""
        author = check_line(call.body.author, "author")
        comment = check_lines(call.body.comment, "comment")
        with asking_the_office():
            await self._office.acknowledge(call.parts["id"], author, comment)

    async def silences(self, call: Call[SilenceQuery, None]) -> Page[SilenceView]:
        """All that are kept, by their begin."""
        text, now = call.query.q.casefold(), self._now()

        def view(silence: Silence) -> SilenceView | None:
            shown = view_silence(silence, now)
            places = (*shown.matchers, shown.author, shown.comment)
            return shown if has_text(text, places) else None

        rows = sorted(
            (
                ((silence.starts_at.isoformat(), silence.id), silence)
                for silence in self._office.silences()
            ),
            key=lambda row: row[0],
        )
        return await make_page(self._slices, call.query, rows, view)

    async def create_silence(self, call: Call[Query, SilenceInput]) -> SilenceView:
        """A new one."""
        wanted, now = call.body, self._now()
        starts_at = check_instant(wanted.starts_at or now, "starts_at")
        ends_at = check_instant(wanted.ends_at, "ends_at")
        if ends_at <= now:
            raise ApiError(ErrorType.BAD_DATA, "ends_at: must not have passed")
        matchers = read_matchers(wanted.matchers, "matchers")
        author = check_line(wanted.author, "author")
        comment = check_lines(wanted.comment, "comment")
        with asking_the_office():
            silence = await self._office.create_silence(
                matchers, starts_at, ends_at, author, comment
            )
        return view_silence(silence, now)

    async def expire_silence(self, call: Call[Query, ExpiryInput]) -> None:
        """It ends now."""
        author = check_line(call.body.author, "author")
        with asking_the_office():
            await self._office.expire_silence(call.parts["id"], author)

    async def deliveries(self, call: Call[DeliveryQuery, None]) -> Page[DeliveryView]:
        """The newest first."""
        query = call.query
        state = None if query.state is UNSET else query.state
        before = "".join(read_cursor(query.cursor)) or None
        with asking_the_office():
            found = await self._office.deliveries(
                state, query.hook or None, query.limit + 1, before
            )
        shown = [view_delivery(delivery) for delivery in found[: query.limit]]
        is_last = len(found) <= query.limit
        return Page(shown, None if is_last else write_cursor((shown[-1].id,)))

    async def delivery(self, call: Call[Query, None]) -> DeliveryView:
        """The one, with what it says."""
        with asking_the_office():
            return view_whole_delivery(await self._office.delivery(call.parts["id"]))

    async def replay(self, call: Call[Query, NothingInput]) -> DeliveryView:
        """It is owed again."""
        with asking_the_office():
            return view_whole_delivery(await self._office.replay(call.parts["id"]))

    async def hooks(self, _call: Call[Query, None]) -> list[HookView]:
        """All that are configured."""
        with asking_the_office():
            return [view_hook(hook) for hook in await self._office.hooks()]

    async def enable_hook(self, call: Call[Query, NothingInput]) -> None:
        """It is told again what it is owed."""
        with asking_the_office():
            await self._office.enable_hook(call.parts["hook"])


def _ordered(alerts: list[Alert]) -> Iterator[tuple[Key, Alert]]:
    keyed = (((it.labels["project"], *it.key, it.fingerprint), it) for it in alerts)
    return iter(sorted(keyed, key=lambda row: row[0]))
