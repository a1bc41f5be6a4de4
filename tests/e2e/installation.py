"""A daemon's installation that holds canary secrets of every kind, and a cloud that fails it."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import bcrypt
import trustme
import yaml

from tests.e2e.canaries import CANARIES
from tests.e2e.scenarios import make_configuration, make_scenario

WEBHOOK_SECRET = "whsec_" + base64.b64encode(CANARIES["webhook-secret"].encode()).decode()
GIT_TOKEN = CANARIES["git-token"]
HOOKS = ("web", "chat", "mail")
FAULTS: tuple[dict[str, Any], ...] = (
    {"type": "html", "body": f"<p>no entry for {CANARIES['token']}</p>"},
    {"type": "truncate", "keep": 0.5},
    {"type": "throttle", "retry_after": "1s"},
    {"type": "status", "status": 500, "body": f"cannot clone https://u:{GIT_TOKEN}@git.example/"},
    {"type": "status", "status": 403},
    {"type": "redirect", "location": f"https://elsewhere.example/?token={CANARIES['token']}"},
    {"type": "reset"},
    {"type": "listing", "change": "missing_list"},
)


class Place:
    """The files of one installation."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.holders: list[Path] = []
        """The files that are meant to hold secrets."""
        authority = trustme.CA()
        ours, web = authority.issue_cert("auditd.example"), authority.issue_cert("127.0.0.1")
        keys = {"client": pem(ours.private_key_pem), "server": pem(web.private_key_pem)}
        hashed = bcrypt.hashpw(CANARIES["web-password"].encode(), bcrypt.gensalt(4)).decode()
        self.secrets = {
            **CANARIES,
            "web-password-hash": hashed,
            **{f"{name}-key": key.splitlines()[1] for name, key in keys.items()},
        }
        self.tls = {
            "cert_file": self.file("client.pem", pem(*ours.cert_chain_pems)),
            "key_file": self.file("client.key", keys["client"]),
        }
        server = {
            "cert_file": self.file("server.pem", pem(*web.cert_chain_pems)),
            "key_file": self.file("server.key", keys["server"]),
        }
        content = {"tls_server_config": server, "basic_auth_users": {"admin": hashed}}
        self.web_config = self.file("web.yaml", yaml.safe_dump(content))
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)

    def file(self, name: str, content: str) -> str:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(content)
        self.holders.append(path)
        return str(path)

    def secret(self, kind: str) -> str:
        return self.file(f"{kind}.secret", CANARIES[kind])


def pem(*blobs: trustme.Blob) -> str:
    return "".join(blob.bytes().decode() for blob in blobs)


def scenario() -> dict[str, Any]:
    """Eight projects that are listed once and then fail, each in its own way."""
    made = make_scenario(len(FAULTS))
    made["credentials"] = [
        {
            "name": "keys",
            "type": "keys",
            "access_key": CANARIES["access-key"],
            "secret_key": CANARIES["secret-key"],
            "security_token": CANARIES["security-token"],
        },
        {"name": "user", "type": "user", "user": "auditor", "password": CANARIES["password"]},
    ]
    for project in made["projects"]:
        project["authorizations"][1] |= {
            "repo_host": f"https://bot:{GIT_TOKEN}@git.example/api?private_token={GIT_TOKEN}"
        }
    made["faults"] = [
        {
            "project": f"cn-north-4_p{number}",
            "operation": "list_authorizations",
            "after": 1,
            "effect": effect,
        }
        for number, effect in enumerate(FAULTS)
    ]
    return made


def configuration(cloud: str, receiver: str, place: Place) -> dict[str, Any]:
    made = make_configuration(cloud, len(FAULTS), poll_interval="2s", poll_timeout="2s")
    made["global"]["tls_config"] = place.tls
    made["credentials"] = [
        {
            "name": "keys",
            "type": "aksk",
            "access_key": CANARIES["access-key"],
            "secret_key_file": place.secret("secret-key"),
            "security_token_file": place.secret("security-token"),
            "iam_endpoint": cloud,
        },
        {
            "name": "user",
            "type": "iam_password",
            "domain": "acme",
            "user": "auditor",
            "password_file": place.secret("password"),
            "iam_endpoint": cloud,
        },
        {"name": "fixed", "type": "token", "token_file": place.secret("token")},
    ]
    for number, project in enumerate(made["projects"]):
        project["credential"] = ("keys", "user")[number % 2]
    made["projects"].append(
        {**made["projects"][0], "name": "other", "region": "cn-east-3", "credential": "fixed"}
    )
    return {**made, "alerting": alerting(receiver, place), **heartbeat(receiver, place)}


def heartbeat(receiver: str, place: Place) -> dict[str, Any]:
    file = place.file("heartbeat.secret", f"{receiver}/ping/{CANARIES['heartbeat-url']}")
    return {"heartbeat": {"url_file": file, "interval": "1s"}}


def alerting(receiver: str, place: Place) -> dict[str, Any]:
    secret_url = f"{receiver}/in/{CANARIES['hook-url']}"
    return {
        "route": {
            "hook": "web",
            "group_wait": "0s",
            "routes": [
                {"hook": hook, "continue": True, "group_wait": "0s"}
                for hook in ("chat", "mail", "web")
            ],
        },
        "hooks": [
            {
                "name": "web",
                "type": "webhook",
                "url": f"{receiver}/web",
                "secret_file": place.file("webhook.secret", WEBHOOK_SECRET),
                "authorization_file": place.file(
                    "authorization.secret", f"Bearer {CANARIES['webhook-authorization']}"
                ),
            },
            {"name": "chat", "type": "slack", "url_file": place.file("chat.secret", secret_url)},
            {
                "name": "mail",
                "type": "smtp",
                "host": "127.0.0.1",
                "port": 1,
                "security": "tls",
                "username": "auditd",
                "password_file": place.secret("mail-password"),
                "from": "auditd@acme.example",
                "to": ["ops@acme.example"],
            },
        ],
    }
