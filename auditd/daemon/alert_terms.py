"""Routes and rules of alerts out of settings."""

from __future__ import annotations

from dataclasses import replace

from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.run import Policy, build_policy
from auditd.config.settings import Catalog, Settings


def policy_of(settings: Settings, catalog: Catalog) -> Policy:
    """The checks that are enabled, with their options."""
    return build_policy(catalog.checks, settings.checks, settings.global_.blind_after)


def tree_of(settings: Settings) -> RouteNode:
    """The configured routes; without any, alerts live and go nowhere."""
    if settings.alerting is None:
        return build_tree(Route(hook=""))
    return build_tree(settings.alerting.route, settings.alerting.time_intervals)


def rules_of(settings: Settings, policy: Policy) -> Rules:
    """The terms of all alerts."""
    alerting = settings.alerting
    checks = {
        check.name: CheckRule(
            description=check.description,
            for_=settings.checks[check.name].for_,
            keep_firing_for=settings.checks[check.name].keep_firing_for,
        )
        for check in policy.checks
    }
    rules = Rules(
        checks=checks, labels=settings.global_.labels, accepted=tuple(settings.exceptions)
    )
    if alerting is None:
        return rules
    return replace(rules, runbook_url=alerting.runbook_url, console_url=alerting.console_url)
