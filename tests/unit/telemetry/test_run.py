from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.run import runs


def weight_of(snapshot: ProjectSnapshot) -> int:
    return int(snapshot.project.region)


def fleet_of(project: Project, weights: list[int]) -> list[ProjectSnapshot]:
    """The weight of each stands where its region would be."""
    return [
        ProjectSnapshot(replace(project, name=f"p{number}", region=str(weight)))
        for number, weight in enumerate(weights)
    ]


def names_of(fleet: list[ProjectSnapshot]) -> set[tuple[str, ...]]:
    cut = runs(fleet, weight_of, 50)
    return {tuple(snapshot.project.name for snapshot in run) for run in cut}


@given(st.lists(st.integers(1, 200)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_runs_are_the_fleet_in_order(project: Project, weights: list[int]) -> None:
    fleet = fleet_of(project, weights)
    cut = list(runs(fleet, weight_of, 100))
    assert [snapshot for run in cut for snapshot in run] == fleet
    assert all(cut)


def test_a_project_that_is_heavy_enough_begins_a_run(project: Project) -> None:
    fleet = fleet_of(project, [1, 100, 1, 250, 1])
    begins = {run[0].project.name for run in runs(fleet, weight_of, 100)}
    assert {"p0", "p1", "p3"} <= begins


def test_small_projects_share_runs(project: Project) -> None:
    fleet = fleet_of(project, [1] * 5000)
    cut = list(runs(fleet, weight_of, 50))
    assert 50 < len(cut) < 200  # 100 of them by expectation


def test_whoever_leaves_changes_at_most_the_runs_around(project: Project) -> None:
    fleet = fleet_of(project, [1] * 2000)
    before = names_of(fleet)
    for gone in range(0, 2000, 111):
        assert len(before - names_of(fleet[:gone] + fleet[gone + 1 :])) <= 2
