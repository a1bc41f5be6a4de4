from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import EndReason
from auditd.alerting.notification import NotificationReason, NotifiedStatus
from auditd.hooks.payload import Payload, alertmanager, cloudevent, native
from tests.unit.hooks.fakes import START, message, notified

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schemas" / "notification.schema.json").read_text()
)
ENDED = notified("gone", end=START + timedelta(hours=1, microseconds=7))


def _valid(document: Any, schema: Any = SCHEMA) -> None:
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(document)


def test_the_native_payload_fits_its_published_schema() -> None:
    document = json.loads(native(message(notified(), ENDED)))
    _valid(document)
    assert document["type"] == "alerts.firing"
    assert document["timestamp"] == "2026-11-24T12:00:00Z"
    assert document["data"]["id"] == "msg_1"
    assert [alert["ends_at"] for alert in document["data"]["alerts"]] == [
        None,
        "2026-11-24T13:00:00.000007Z",
    ]


def test_the_schema_knows_every_status_reason_and_end() -> None:
    data = SCHEMA["properties"]["data"]["properties"]
    alert = SCHEMA["$defs"]["alert"]["properties"]
    assert data["reason"]["enum"] == list(NotificationReason)
    assert SCHEMA["$defs"]["status"]["enum"] == list(NotifiedStatus)
    assert alert["end_reason"]["enum"] == [None, *EndReason]


@pytest.mark.parametrize("broken", ["type", "timestamp", "data"])
def test_the_schema_refuses_a_document_without_one_of_its_parts(broken: str) -> None:
    document = json.loads(native(message()))
    del document[broken]
    with pytest.raises(jsonschema.ValidationError):
        _valid(document)


def test_only_resolved_alerts_make_a_resolved_message() -> None:
    assert json.loads(native(message(ENDED)))["type"] == "alerts.resolved"


def test_alertmanagers_payload_has_exactly_the_fields_of_its_version_4_in_its_order() -> None:
    document = json.loads(alertmanager(message(notified(), ENDED)))
    assert list(document) == [
        "receiver",
        "status",
        "alerts",
        "groupLabels",
        "commonLabels",
        "commonAnnotations",
        "externalURL",
        "version",
        "groupKey",
        "truncatedAlerts",
    ]
    assert list(document["alerts"][0]) == [
        "status",
        "labels",
        "annotations",
        "startsAt",
        "endsAt",
        "generatorURL",
        "fingerprint",
    ]
    assert document["version"] == "4"
    assert document["receiver"] == "ops"
    assert document["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert document["alerts"][1]["endsAt"] == "2026-11-24T13:00:00.000007Z"
    assert len(document["alerts"][0]["fingerprint"]) == 16


def test_a_cloudevent_has_every_required_attribute_and_the_native_data() -> None:
    told = message(notified())
    document = json.loads(cloudevent(told))
    assert {"specversion", "id", "source", "type"} <= document.keys()
    assert document["specversion"] == "1.0"
    assert document["id"] == told.id
    assert document["source"] == "https://auditd.example.com"
    assert document["time"] == "2026-11-24T12:00:00Z"
    assert document["data"] == json.loads(native(told))["data"]
    assert Payload.CLOUDEVENTS.content_type.startswith("application/cloudevents+json")


@pytest.mark.parametrize("payload", Payload)
def test_every_attempt_sends_the_same_bytes(payload: Payload) -> None:
    assert payload.render(message(attempt=1)) == payload.render(message(attempt=9))


@given(st.text())
def test_any_foreign_text_makes_valid_json(text: str) -> None:
    alert = notified()
    annotated = type(alert)(
        alert.fingerprint,
        alert.status,
        alert.labels,
        {"summary": text},
        alert.starts_at,
        alert.ends_at,
        alert.end_reason,
    )
    for payload in Payload:
        json.loads(payload.render(message(annotated)))
