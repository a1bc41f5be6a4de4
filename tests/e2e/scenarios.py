"""Clouds and the configurations of the daemons that watch them."""

from __future__ import annotations

from typing import Any

ACCESS_KEY = "AKFAKEEXAMPLE0000001"
SECRET_KEY = "SkFakeExample/0000000000000000000+Key="
PASSWORD = "not-a-real-password"

KEYS = {"name": "keys", "type": "keys", "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
USER = {"name": "user", "type": "user", "user": "auditor", "password": PASSWORD}


def project_id(number: int) -> str:
    return f"{number:032x}"


def make_scenario(projects: int = 1, **settings: Any) -> dict[str, Any]:
    """A cloud with projects of one normal, one overdue and one stale authorization each."""
    return {
        "credentials": [KEYS, USER],
        "projects": [
            {
                "name": f"cn-north-4_p{number}",
                "id": project_id(number),
                "authorizations": [
                    {"name": "fine", "updated": "-1d"},
                    {"name": "lapsed", "updated": "-2d", "status": "overdue"},
                    {"name": "old", "updated": "-100d"},
                ],
            }
            for number in range(projects)
        ],
        **settings,
    }


def make_configuration(
    cloud: str, projects: int = 1, *, secret_key: str = SECRET_KEY, **settings: Any
) -> dict[str, Any]:
    """A daemon that watches the projects of `make_scenario` with AK/SK."""
    return {
        "global": {"poll_interval": "1h", "requests_per_second": 1000, **settings},
        "credentials": [
            {
                "name": "keys",
                "type": "aksk",
                "access_key": ACCESS_KEY,
                "secret_key": secret_key,
                "iam_endpoint": cloud,
            }
        ],
        "projects": [
            {
                "name": f"p{number}",
                "project_id": project_id(number),
                "region": "cn-north-4",
                "credential": "keys",
                "endpoint": cloud,
            }
            for number in range(projects)
        ],
    }
