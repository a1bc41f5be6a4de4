"""What people are told of a mistake in an expression of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditd.audit.finding import Severity
from auditd.config.problem import ConfigError
from auditd.config.schema import json_schema
from tests.unit.config.shipped import CATALOG, load_beside

WATCHED = """
credentials: [{name: prod, type: sdk_chain}]
projects: [{name: pay, project_id: "0123", region: cn-north-4, credential: prod}]
checks:
  policy:
    policies:
"""

MISTAKEN = """
      - name: one
        expression: repotype == "github"
      - name: two
        expression: update_age > 90
      - name: three
        expression: "status = 'CANARY'"
      - name: four
        expression: name.upper() == "CANARY"
        severity: fatal
      - name: five
        expression: true
      - {name: six}
      - name: seven
        expression: >-
          startswith(name, "a")
          and matches(tag, "(a+)+")
"""

TOLD = """
8:21: checks.policy.policies[0].expression: at its character 1: unknown name; \
did you mean repo_type?
10:21: checks.policy.policies[1].expression: at its character 14: numbers and truth values are not \
compared; an age needs a unit and quotes: "90d"
12:21: checks.policy.policies[2].expression: at its character 8: not an expression; \
write == to compare
14:21: checks.policy.policies[3].expression: at its character 1: expected a name, a text in quotes \
or a list of texts
15:19: checks.policy.policies[3].severity: expected info, warning or critical
17:21: checks.policy.policies[4].expression: expected text, found true or false
18:9: checks.policy.policies[5].expression: this key is required
20:21: checks.policy.policies[6].expression: at its character 40: this regular expression may take \
for ever: repeat single characters or classes and not groups, and at most 3 of them
"""


def test_each_mistake_is_told_with_its_place_and_without_what_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_beside(tmp_path, (WATCHED + MISTAKEN).strip())
    told = str(caught.value).replace(f"{tmp_path}/servicestage-auditd.yaml:", "")
    assert told == TOLD.strip()


def test_a_text_of_several_lines_is_one_expression(tmp_path: Path) -> None:
    lines = """
      - name: block
        severity: info
        expression: |
          age > "1d"
          and name != "a"
    """
    options = load_beside(tmp_path, WATCHED + lines).checks["policy"]
    [policy] = options.policies  # type: ignore[attr-defined] # the options of this check
    assert policy.severity is Severity.INFO
    assert policy.expression.text == 'age > "1d"\nand name != "a"\n'


def test_the_schema_knows_an_expression_as_text() -> None:
    definitions = json_schema(CATALOG)["$defs"]
    expression = definitions["auditd.audit.checks.policy.UserPolicy"]["properties"]["expression"]
    assert expression["type"] == "string"
    assert expression["maxLength"] == 1000
