from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.aws.cleanup import executor
from pipeline.aws.cleanup.executor import execute
from pipeline.aws.cleanup.inventory import read
from pipeline.aws.cleanup.models import Key, Kind, Plan, Result
from pipeline.aws.cleanup.planner import plan

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints
    from tests.pipeline.aws.cleanup.conftest import Deploy

PART = "bincount-demo-staging-v1-0123abcd"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Return what is done, one at a time, instead of pausing between looks."""
    meanwhile: list[Callable[[], None]] = []
    monkeypatch.setattr("time.sleep", lambda _: meanwhile.pop(0)() if meanwhile else None)
    return meanwhile


def clean(session: boto3.Session, group: str | None = None, planned: Plan | None = None) -> list[Result]:
    return list(execute(session, planned or plan(read(session), group), group, seconds=0.05, patience=30))


def used_by(endpoint: str) -> dict[Key, str]:
    """Return why each part of an endpoint that is there stays."""
    used = [Key(Kind.ALARM, f"{PART}-5xx"), Key(Kind.ALARM, f"{PART}-latency"), Key(Kind.CONFIG, PART)]
    return dict.fromkeys(used, f"endpoint {endpoint} uses it") | {
        Key(Kind.MODEL, PART): f"endpoint config {PART} uses it"
    }


def test_a_deployment_goes_in_order_and_the_second_time_there_is_nothing(
    account: boto3.Session, deploy: Deploy
) -> None:
    deploy(account)
    deploy(account, "bincount-demo", "production")
    results = clean(account)
    assert {(one.error, one.gone) for one in results} == {(None, False)}
    kinds = [one.key.kind for one in results]
    assert kinds == sorted(kinds, key=lambda kind: kind.place)
    assert len(kinds) == 14
    assert read(account) == []
    assert plan(read(account)) == Plan()


def test_one_group_goes_alone(moto_session: boto3.Session, deploy: Deploy) -> None:
    deploy(moto_session, "bincount-demo")
    other = deploy(moto_session, "bincount-demo-two")
    assert len(clean(moto_session, "bincount-demo")) == 7
    left = {one.key for one in read(moto_session)}
    assert Key(Kind.ENDPOINT, other) in left
    assert len(left) == 7


def test_a_plan_of_before_meets_what_others_removed(moto_session: boto3.Session, deploy: Deploy) -> None:
    deploy(moto_session)
    planned = plan(read(moto_session))
    clean(moto_session)
    assert all(one.gone and one.error is None for one in clean(moto_session, planned=planned))


def test_a_busy_endpoint_is_waited_for(
    moto_session: boto3.Session, moto_endpoints: Endpoints, deploy: Deploy, impatient: list[Callable[[], None]]
) -> None:
    moto_endpoints.hold = True
    name = deploy(moto_session, held=True)
    impatient += [lambda: moto_endpoints.finish(name), lambda: None, lambda: moto_endpoints.finish(name)]
    told: list[str] = []
    results = list(execute(moto_session, plan(read(moto_session)), seconds=0, tell=told.append))
    assert [one for one in results if one.error] == []
    assert told == [f"endpoint {name} is {status}" for status in ("Creating", "Deleting")]
    assert read(moto_session) == []


def test_an_endpoint_that_stays_keeps_what_it_uses(
    moto_session: boto3.Session, moto_endpoints: Endpoints, deploy: Deploy
) -> None:
    moto_endpoints.hold = True
    name = deploy(moto_session, held=True)
    results = list(execute(moto_session, plan(read(moto_session)), seconds=0, patience=0))
    assert {one.key: one.error for one in results if one.error} == {
        Key(Kind.ENDPOINT, name): "it is still Creating: `bincount cleanup` again, once it is not",
        **used_by(name),
    }


def test_what_is_deployed_meanwhile_stays_whole(
    moto_session: boto3.Session, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = deploy(moto_session)
    client: Any = moto_session.client("sagemaker")

    def read_later(session: boto3.Session) -> Any:
        client.create_endpoint(EndpointName=name, EndpointConfigName=PART, Tags=[{"Key": "project", "Value": "x"}])
        return read(session)

    monkeypatch.setattr(executor, "read", read_later)
    assert {one.key: one.error for one in clean(moto_session) if one.error} == used_by(name)
    assert client.describe_endpoint(EndpointName=name)["EndpointConfigName"] == PART


@pytest.mark.parametrize("failing", ["delete_scaling_policy", "delete_endpoint", "delete_endpoint_config"])
def test_one_failure_stops_only_what_it_uses(
    failing: str, moto_session: boto3.Session, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(moto_session)
    service = "application-autoscaling" if "scaling" in failing else "sagemaker"
    clients: Any = moto_session.client
    client = clients(service)

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, failing)

    monkeypatch.setattr(client, failing, refuse)
    monkeypatch.setattr(moto_session, "client", lambda name: client if name == service else clients(name))
    errors = [one.key.kind for one in clean(moto_session) if one.error]
    assert (
        errors
        == {
            "delete_scaling_policy": [Kind.POLICY],
            "delete_endpoint": [Kind.ENDPOINT, Kind.ALARM, Kind.ALARM, Kind.CONFIG, Kind.MODEL],
            "delete_endpoint_config": [Kind.CONFIG, Kind.MODEL],
        }[failing]
    )


def test_schedules_go_with_their_targets_and_event_rules_stay(account: boto3.Session) -> None:
    client: Any = account.client("events")
    tags = [{"Key": "project", "Value": "bincount"}]
    events = {rule["Name"] for rule in client.list_rules()["Rules"]}  # local AWS has those of the stack
    client.put_rule(Name="bincount-nightly", ScheduleExpression="rate(1 day)", Tags=tags)
    client.put_rule(Name="bincount-theirs", ScheduleExpression="rate(1 day)")
    client.put_rule(Name="bincount-approval", EventPattern='{"source": ["aws.sagemaker"]}', Tags=tags)
    arn = "arn:aws:lambda:us-east-1:123456789012:function:bincount-deploy"
    client.put_targets(Rule="bincount-nightly", Targets=[{"Id": "1", "Arn": arn}])
    assert clean(account) == [Result(Key(Kind.SCHEDULE, "bincount-nightly"))]
    assert {rule["Name"] for rule in client.list_rules()["Rules"]} == {"bincount-theirs", "bincount-approval"} | events


def test_reading_and_planning_change_nothing(
    account: boto3.Session, deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(account)
    called: list[str] = []
    services = ("sagemaker", "events", "cloudwatch", "application-autoscaling")
    clients = {name: account.client(name) for name in services}  # type: ignore[call-overload]
    for client in clients.values():
        client.meta.events.register("before-parameter-build", lambda model, **_: called.append(model.name))
    monkeypatch.setattr(account, "client", clients.__getitem__)
    assert len(plan(read(account)).removals) == 7
    assert {name.startswith(("List", "Describe")) for name in called} == {True}
