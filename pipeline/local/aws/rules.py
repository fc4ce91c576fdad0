"""EventBridge: rules. Those of `lambda/deploy/rules.json`, as the template makes them, are there from the start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.local import functions
from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.event_patterns import compile_pattern

KIND = "rule"


def rule_arn(name: str) -> str:
    """Return the ARN of a rule on the default bus."""
    return f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"


def all_rules(account: Account) -> dict[str, dict[str, Any]]:
    """Return the rules by name; a stored one hides the file's of the same name, also where it says it was deleted."""
    stored = {rule["Name"]: rule for rule in account.store.find(KIND)}
    return {name: rule for name, rule in {**_from_file(), **stored}.items() if not rule.get("_deleted")}


def _from_file() -> dict[str, dict[str, Any]]:
    try:
        patterns = json.loads((functions.FOLDER / "deploy" / "rules.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    target = {"Id": "deploy", "Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bincount-deploy"}
    return {
        name: {
            "Name": name,
            "Arn": rule_arn(name),
            "EventPattern": json.dumps(pattern),
            "State": "ENABLED",
            "EventBusName": "default",
            "_targets": [target],
        }
        for name, pattern in patterns.items()
    }


def matching_targets(account: Account, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the targets of every enabled rule whose pattern an event fits."""
    for rule in all_rules(account).values():
        pattern = rule.get("EventPattern")
        if pattern and rule["State"] == "ENABLED" and compile_pattern(pattern)(event):
            yield from rule["_targets"]
