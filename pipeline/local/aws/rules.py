"""EventBridge: rules. Those of `lambda/deploy/rules.json`, as the template makes them, are there from the start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipeline.local import functions
from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, invalid, members, operation, public, refuse
from pipeline.local.aws.event_patterns import PatternError, compile_pattern
from pipeline.local.aws.paging import page
from pipeline.local.aws.tags import put_tags, read_tags

KIND = "rule"
_SCHEDULE = re.compile(r"rate\((1 (minute|hour|day)|(?!1 )[1-9]\d* (minutes|hours|days))\)|cron\((\S+ ){5}\S+\)")


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


def default_bus(request: Request) -> None:
    """Refuse a bus that is not the account's default one."""
    bus = request.get("EventBusName", "default")
    if bus.removeprefix(f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/") != "default":
        raise ServiceError("ResourceNotFoundException", f"Event bus {bus} does not exist.")


def find_rule(account: Account, name: str) -> dict[str, Any]:
    """Return the rule's document. Raises ResourceNotFoundException."""
    return _there(all_rules(account).get(name), name)


def _there(rule: dict[str, Any] | None, name: str) -> dict[str, Any]:
    if rule is None or rule.get("_deleted"):
        message = f"Rule {name} does not exist on EventBus default."
        raise ServiceError("ResourceNotFoundException", message)
    return rule


@contextmanager
def changing(account: Account, name: str) -> Iterator[dict[str, Any]]:
    """Give a rule's document to be changed; it is kept afterwards. Raises ResourceNotFoundException."""
    with account.store.transaction() as transaction:
        rule = _there(transaction.get(KIND, name) or _from_file().get(name), name)
        yield rule
        transaction.delete(KIND, name)
        transaction.create(KIND, name, rule)


@operation("events", "PutRule")
def put_rule(account: Account, request: Request) -> Answer:
    """Keep a rule for events, in place of an older one of its name but for its targets.

    A schedule is kept and listed, but nothing here acts on it: `bincount endpoint reconcile` does by hand what the
    scheduled rule does on AWS.
    """
    refuse(request, "RoleArn")
    default_bus(request)
    name = request["Name"]
    _check(request)
    older = all_rules(account).get(name, {})
    rule = {
        **members(request, "Name", "EventPattern", "ScheduleExpression", "Description"),
        "State": request.get("State", "ENABLED"),
        "Arn": rule_arn(name),
        "EventBusName": "default",
        "_targets": older.get("_targets", []),
    }
    with account.store.transaction() as transaction:
        transaction.delete(KIND, name)
        transaction.create(KIND, name, rule)
    if not older:
        put_tags(account, rule_arn(name), request.get("Tags", []))
    return {"RuleArn": rule_arn(name)}


def _check(request: Request) -> None:
    pattern, schedule = request.get("EventPattern"), request.get("ScheduleExpression")
    if not pattern and not schedule:
        raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if schedule and not _SCHEDULE.fullmatch(schedule):
        raise invalid("Parameter ScheduleExpression is not valid.")
    try:
        if pattern:
            compile_pattern(pattern)
    except PatternError as error:
        message = f"Event pattern is not valid. Reason: {error}"
        raise ServiceError("InvalidEventPatternException", message) from None


@operation("events", "DescribeRule")
def describe_rule(account: Account, request: Request) -> Answer:
    """Answer the rule."""
    default_bus(request)
    return public(find_rule(account, request["Name"]))


@operation("events", "ListRules")
def list_rules(account: Account, request: Request) -> Answer:
    """Answer the rules by name."""
    default_bus(request)
    rules = sorted(all_rules(account).values(), key=lambda rule: str(rule["Name"]))
    listed = [rule for rule in rules if rule["Name"].startswith(request.get("NamePrefix", ""))]
    return page(listed, {**request, "MaxResults": request.get("Limit", 100)}, "Rules", "Name", public)


@operation("events", "DeleteRule")
def delete_rule(account: Account, request: Request) -> None:
    """Remove a rule that has no targets; one that is not there is no error."""
    default_bus(request)
    name = request["Name"]
    if name not in all_rules(account):
        return
    with changing(account, name) as rule:
        if rule["_targets"]:
            raise invalid("Rule can't be deleted since it has targets.")
        rule["_deleted"] = True  # kept so, to hide the file's rule of this name
    account.store.delete("tags", rule_arn(name))


@operation("events", "EnableRule")
def enable_rule(account: Account, request: Request) -> None:
    """Let a rule match again."""
    default_bus(request)
    with changing(account, request["Name"]) as rule:
        rule["State"] = "ENABLED"


@operation("events", "DisableRule")
def disable_rule(account: Account, request: Request) -> None:
    """Let a rule match nothing until it is enabled."""
    default_bus(request)
    with changing(account, request["Name"]) as rule:
        rule["State"] = "DISABLED"


@operation("events", "TagResource")
def tag_resource(account: Account, request: Request) -> None:
    """Add tags to a rule."""
    put_tags(account, _tagged(account, request), request["Tags"])


@operation("events", "ListTagsForResource")
def list_tags_for_resource(account: Account, request: Request) -> Answer:
    """Answer the tags of a rule."""
    return {"Tags": read_tags(account, _tagged(account, request))}


def _tagged(account: Account, request: Request) -> str:
    arn: str = request["ResourceARN"]
    find_rule(account, arn.removeprefix(rule_arn("")))
    return arn
