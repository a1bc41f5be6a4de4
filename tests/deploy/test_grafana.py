"""Whether the dashboards of deploy/grafana are sane, as far as that can be told without Grafana."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path(__file__).parent.parent.parent / "deploy" / "grafana"
BOARDS = {file.stem: json.loads(file.read_text()) for file in (HOME / "dashboards").glob("*.json")}
PANELS = {
    f"{name}: {panel['title']}": panel
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
}
TABLES = {name: panel for name, panel in PANELS.items() if panel["type"] == "table"}
BUILT_IN = {"__rate_interval", "__range", "__url_time_range", "__data", "__all"}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
each_panel = pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
each_table = pytest.mark.parametrize("panel", TABLES.values(), ids=TABLES)


def test_there_is_one_for_the_fleet_and_one_for_authorizations() -> None:
    assert {board["uid"] for board in BOARDS.values()} == {"auditd-fleet", "auditd-authorization"}


@each_board
def test_a_dashboard_can_be_provisioned_beside_others(board: Mapping[str, Any]) -> None:
    assert "id" not in board
    assert board["schemaVersion"] == 42
    assert board["title"]
    assert board["description"].endswith(".")
    assert board["tags"] == ["servicestage-auditd"]


@each_board
def test_panels_have_ids_of_their_own_and_overlap_nowhere(board: Mapping[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24, panel["title"]
    for one, other in itertools.combinations(board["panels"], 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


@each_board
def test_no_title_is_given_twice(board: Mapping[str, Any]) -> None:
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)


@each_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: Mapping[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@each_panel
def test_a_panel_asks_the_data_source_that_is_chosen(panel: Mapping[str, Any]) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert [panel["datasource"], *(it["datasource"] for it in panel["targets"])] == [chosen] * (
        1 + len(panel["targets"])
    )


@each_table
def test_a_table_names_each_column_that_it_renames_or_hides(panel: Mapping[str, Any]) -> None:
    (organize,) = panel["transformations"]
    labels = set(organize["options"]["renameByName"]) - {"Value"}
    for target in panel["targets"]:
        assert labels <= set(re.findall(r"\w+", target["expr"])), target["expr"]
        assert (target["format"], target["instant"]) == ("table", True)


@each_board
def test_every_variable_that_is_used_is_defined_and_every_defined_one_used(
    board: Mapping[str, Any],
) -> None:
    variables = board["templating"]["list"]
    defined = {variable["name"] for variable in variables}
    content = json.dumps([board["panels"], board["links"], *variables])
    used = set(re.findall(r"(?<!-)\$\{?(\w+)", content)) - BUILT_IN
    assert used == defined
    assert variables[0]["type"] == "datasource"


def test_links_lead_to_the_other_dashboard_and_set_variables_that_it_has() -> None:
    uids = {board["uid"]: board for board in BOARDS.values()}
    for board in BOARDS.values():
        (link,) = board["links"]
        assert _target(link["url"]) in uids.keys() - {board["uid"]}
    urls = [
        link["url"]
        for board in BOARDS.values()
        for panel in board["panels"]
        for override in panel.get("fieldConfig", {}).get("overrides", [])
        for setting in override["properties"]
        if setting["id"] == "links"
        for link in setting["value"]
    ]
    assert len(urls) == 3
    for url in urls:
        known = {variable["name"] for variable in uids[_target(url)]["templating"]["list"]}
        assert set(re.findall(r"var-(\w+)=", url)) <= known


def test_the_provisioned_data_source_and_folder_are_what_the_dashboards_need() -> None:
    sources = _provisioning("datasources/prometheus.yaml")["datasources"]
    assert [(source["type"], source["isDefault"]) for source in sources] == [("prometheus", True)]
    (provider,) = _provisioning("dashboards/auditd.yaml")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].startswith("/")


def _provisioning(name: str) -> Any:
    content = yaml.safe_load((HOME / "provisioning" / name).read_text())
    assert content["apiVersion"] == 1
    return content


def _target(url: str) -> str:
    """The dashboard that the link leads to."""
    found = re.match(r"/d/([\w-]+)\?", url)
    assert found, url
    return found[1]


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )
