"""What the HTTP API has of alerts, silences, deliveries and hooks, in one table."""

from __future__ import annotations

from collections.abc import Sequence

from auditd.web.api_alarms import AlarmsApi
from auditd.web.api_answer import ErrorType
from auditd.web.api_input import AcknowledgementInput, ExpiryInput, NothingInput, SilenceInput
from auditd.web.api_query import AlertQuery, DeliveryQuery, SilenceQuery
from auditd.web.api_route import Route
from auditd.web.api_view import AlertView, DeliveryView, HookView, SilenceView

_UNAVAILABLE = (ErrorType.UNAVAILABLE,)


def alarm_routes(api: AlarmsApi) -> Sequence[Route]:
    """The table."""
    return [
        Route(
            "GET",
            "/alerts",
            "The alerts, by project, check and authorization.",
            api.alerts,
            query=AlertQuery,
            answer=AlertView,
            is_paged=True,
        ),
        Route(
            "POST",
            "/alerts/{id}/acknowledge",
            "Say that you know of a firing alert, so that it is not repeated.",
            api.acknowledge,
            body=AcknowledgementInput,
            answer=None,
        ),
        Route(
            "GET",
            "/silences",
            "The silences, by their begin.",
            api.silences,
            query=SilenceQuery,
            answer=SilenceView,
            is_paged=True,
        ),
        Route(
            "POST",
            "/silences",
            "Silence alerts for a time.",
            api.create_silence,
            body=SilenceInput,
            answer=SilenceView,
        ),
        Route(
            "DELETE",
            "/silences/{id}",
            "End a silence now.",
            api.expire_silence,
            body=ExpiryInput,
            answer=None,
        ),
        Route(
            "GET",
            "/deliveries",
            "The deliveries, the newest first.",
            api.deliveries,
            query=DeliveryQuery,
            answer=DeliveryView,
            errors=_UNAVAILABLE,
            is_paged=True,
        ),
        Route(
            "GET",
            "/deliveries/{id}",
            "One delivery, with what it says.",
            api.delivery,
            answer=DeliveryView,
            errors=_UNAVAILABLE,
        ),
        Route(
            "POST",
            "/deliveries/{id}/replay",
            "Owe a dead delivery again.",
            api.replay,
            body=NothingInput,
            answer=DeliveryView,
        ),
        Route(
            "GET",
            "/hooks",
            "The hooks, and what they are owed.",
            api.hooks,
            answer=tuple[HookView, ...],
            errors=_UNAVAILABLE,
        ),
        Route(
            "POST",
            "/hooks/{hook}/enable",
            "Tell a hook again that was switched off.",
            api.enable_hook,
            body=NothingInput,
            answer=None,
        ),
    ]
