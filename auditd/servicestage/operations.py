"""What is asked of ServiceStage and IAM, before it is authenticated.

Source: ServiceStage API reference, "Git Repository Access"; IAM API reference, "Token
Management" and "Project Management".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from auditd.servicestage.message import Request

MOST_KEPT = 16_384
"""Requests that are made once, because they are sent again and again."""

_JSON: Mapping[str, str] = {"Content-Type": "application/json"}


@lru_cache(maxsize=MOST_KEPT)
def list_authorizations(endpoint: str, project_id: str) -> Request:
    """ListAuthorizations: everything that is stored in a project, in one answer."""
    return _request("GET", endpoint, f"/v1/{quote(project_id, safe='')}/git/auths")


def list_namespaces(endpoint: str, project_id: str, authorization: str) -> Request:
    """ListNamespaces: makes ServiceStage call the Git host with the stored credential."""
    path = f"/v1/{quote(project_id, safe='')}/git/repos/namespaces"
    return _request("GET", endpoint, path, headers={"X-Repo-Auth": authorization})


def show_redirect_url(endpoint: str, project_id: str, repo_type: str, tag: str) -> Request:
    """ShowRedirectUrl: where a person authorizes ServiceStage at the Git host. It changes nothing.

    `tag` is that of the authorization, such as `intl`; empty for none.
    """
    path = f"/v1/{quote(project_id, safe='')}/git/auths/{quote(repo_type, safe='')}/redirect"
    return _request("GET", endpoint, path, query=(("tag", tag),) if tag else ())


def list_own_projects(iam_endpoint: str) -> Request:
    """KeystoneListAuthProjects: the projects that the caller may use."""
    return _request("GET", iam_endpoint, "/v3/auth/projects")


def follow(link: str) -> Request:
    """GET what a link of an earlier answer names; the caller has looked where it leads."""
    parts = urlsplit(link)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    path = quote(parts.path, safe="/%~")
    return Request("GET", f"{parts.scheme}://{parts.netloc}", path, query, dict(_JSON))


def log_in(
    iam_endpoint: str, *, domain: str, user: str, password: str, project_id: str | None
) -> Request:
    """KeystoneCreateUserTokenByPassword, scoped to a project or else to the account.

    A non-empty `nocatalog` leaves the endpoint catalogue out of the answer.
    """
    identity = {
        "methods": ["password"],
        "password": {"user": {"name": user, "password": password, "domain": {"name": domain}}},
    }
    scope: Mapping[str, Any] = (
        {"project": {"id": project_id}} if project_id else {"domain": {"name": domain}}
    )
    body = json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()
    return _request(
        "POST", iam_endpoint, "/v3/auth/tokens", query=(("nocatalog", "true"),), body=body
    )


def _request(
    method: str,
    endpoint: str,
    path: str,
    *,
    query: tuple[tuple[str, str], ...] = (),
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Request:
    """A request below `endpoint`, which may have a path of its own."""
    origin, prefix = _parts(endpoint)
    sent = {**_JSON, **headers} if headers else _JSON
    return Request(method, origin, prefix + path, query, sent, body)


@lru_cache(maxsize=64)
def _parts(endpoint: str) -> tuple[str, str]:
    """Origin and path; many requests go to the same endpoint."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
