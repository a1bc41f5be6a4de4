"""What an operator can do about an answer that is no success."""

from __future__ import annotations

import re

_REMEDIES = (
    ("3", "redirects are never followed, set the endpoint that answers itself"),
    (
        "40[13] .*failed to reach the limit",
        "too many wrong signatures: the access key is locked for 5 minutes, correct its secret key",
    ),
    (
        r"40[13] .*\b(account|user|key)\b.*\block(ed)?\b",
        "the user is locked: correct the password, then wait",
    ),
    ("401 .*signature", "check the secret key, and that this clock is right to 15 minutes"),
    (r"401 .*\bak\b.*not exist", "this access key does not exist (any more), use another"),
    (
        r"401 (APIGW?\.0307|.*(decrypt token|token expires))",
        "the token has expired, was revoked or is of another region or project, renew it",
    ),
    ("401 .*password|400 (IAM|11)", "check the domain, the user and the password"),
    ("401", "check the credential"),
    (r"403 APIGW?\.0310", "the project is frozen or was removed, check project_id"),
    (r"403 APIGW?\.080[12]", "the service or the user is not in this region, check the region"),
    ("403 (IAM|403)", "grant the user the right to use IAM and to list projects"),
    (
        "403",
        "grant the user servicestage:app:list, or servicestage:repositoryAuth:list, in the project",
    ),
    (r"404 APIGW?\.0101", "ServiceStage is not at this address, check region and endpoint"),
    ("404", "check project_id, region and endpoint"),
    ("407", "the proxy wants a user and a password"),
    ("429", "lower requests_per_second or poll less often"),
    ("4", "check project_id and endpoint"),
    ("5", "it will be tried again; if it lasts, ask the vendor's support"),
    ("", "check the endpoint and what stands before it"),
)
"""What `status code message` begins with, as a pattern, and the remedy. The first match counts."""


def remedy(status: int, code: str, message: str) -> str:
    """One clause for people, without a full stop; never empty."""
    said = f"{status} {code} {message}"
    return next(advice for pattern, advice in _REMEDIES if re.match(pattern, said, re.IGNORECASE))
