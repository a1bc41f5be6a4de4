from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from auditd.simulator import effects, listing_effects, wire_effects
from auditd.simulator.authorization import AuthorizationSpec
from auditd.simulator.faults import FaultRule
from auditd.simulator.life import Change, Life
from auditd.simulator.loading import ScenarioError, load_scenario, parse_scenario
from auditd.simulator.scenario import (
    AgencyCredential,
    BulkSettings,
    KeysCredential,
    ProjectSpec,
    Scenario,
    TokenSettings,
    UserCredential,
)

EXAMPLE = Path(__file__).parents[3] / "config" / "scenario.yaml"
KEYS = "credentials: [{name: k, type: keys, access_key: a, secret_key: s}]\n"


def problem(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "s.yaml")
    return str(caught.value)


def test_the_demo_has_five_projects_in_three_regions() -> None:
    demo = load_scenario()
    assert len(demo.projects) == 5
    assert len({project.region for project in demo.projects}) == 3
    assert {credential.type for credential in demo.credentials} == {"keys", "user"}


def test_the_example_is_a_scenario() -> None:
    assert load_scenario(EXAMPLE).projects[0].authorizations


@pytest.mark.parametrize(
    "model",
    [
        Scenario,
        TokenSettings,
        KeysCredential,
        UserCredential,
        AgencyCredential,
        ProjectSpec,
        AuthorizationSpec,
        BulkSettings,
        FaultRule,
        Life,
        effects.StatusEffect,
        effects.ThrottleEffect,
        effects.HtmlEffect,
        effects.RedirectEffect,
        effects.DelayEffect,
        wire_effects.TruncateEffect,
        wire_effects.DripEffect,
        wire_effects.ResetEffect,
        wire_effects.GzipBombEffect,
        wire_effects.EndlessEffect,
        listing_effects.ListingEffect,
    ],
)
def test_the_example_shows_every_key(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert any(keys <= mapping.keys() for mapping in mappings(load_yaml()))


def test_the_example_shows_every_kind_of_change() -> None:
    shown = {key for mapping in load_yaml()["life"]["changes"] for key in mapping}
    assert shown == {field.alias or name for name, field in Change.model_fields.items()}


def test_the_example_names_every_oddity_of_a_list() -> None:
    oddities = listing_effects.ListingEffect.model_json_schema()["properties"]["change"]["enum"]
    text = EXAMPLE.read_text("utf-8")
    assert [oddity for oddity in oddities if oddity not in text] == []


def load_yaml() -> dict[str, dict[str, list[dict[str, object]]]]:
    document = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def mappings(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        return [value, *(found for part in value.values() for found in mappings(part))]
    if isinstance(value, list):
        return [found for part in value for found in mappings(part)]
    return []


def test_an_unknown_key_is_named_with_its_file() -> None:
    text = KEYS + "projects: [{name: p}, {name: q, enable: false}]"
    assert problem(text) == "s.yaml: projects[1].enable: Extra inputs are not permitted"


def test_all_problems_are_told_at_once() -> None:
    text = KEYS + "projects: [{name: p, id: short}]\ntokens: {life: 5}"
    lines = problem(text).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["tokens.life", "projects[0].id"]


def test_the_kind_of_a_credential_or_effect_is_no_part_of_its_key() -> None:
    text = KEYS + "faults: [{effect: {type: drip, pause: soon}}]"
    assert problem(text).startswith("s.yaml: faults[0].effect.pause: ")
    assert problem("credentials: [{name: k, type: user}]").startswith("s.yaml: credentials[0].user")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("projects: [{name: p, credentials: [x]}]", "projects[0].credentials: no credential"),
        ("generate: {projects: 1, credentials: [x]}", "generate.credentials: no credential"),
        ("faults: [{project: x, effect: {type: reset}}]", "faults[0].project: no project"),
        (
            "life: {changes: [{at: 1s, project: x, authorization: a, vanish: true}]}",
            "life.changes[0].project: no project",
        ),
        ("projects: [{name: p}, {name: p}]", "projects: name 'p' is there twice"),
        (
            "projects: [{name: p, authorizations: [{name: a}, {name: a}]}]",
            "projects[0].authorizations: name 'a' is there twice",
        ),
    ],
)
def test_names_exist_and_exist_once(more: str, expected: str) -> None:
    assert expected in problem(KEYS + more)


def test_a_key_that_is_there_twice_is_told_with_its_line() -> None:
    assert problem("seed: 1\nseed: 2\n") == "s.yaml:2:1: 'seed' is there twice"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "s.yaml:1:5: "),
        ("\x00", "s.yaml: "),
        ("", "s.yaml: must be a mapping"),
        ("[]", "s.yaml: must be a mapping"),
        ("{}", "s.yaml: credentials: Field required"),
    ],
)
def test_what_is_no_scenario_is_refused(text: str, expected: str) -> None:
    assert problem(text).startswith(expected)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"none\.yaml: cannot be read"):
        load_scenario(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ScenarioError, match=r"bytes\.yaml: cannot be read"):
        load_scenario(tmp_path / "bytes.yaml")


def test_errors_hold_no_secret() -> None:
    text = "credentials: [{name: 5, type: keys, access_key: a, secret_key: hunter2}]"
    assert "hunter2" not in problem(text)
