"""The same calls of events, lambda, cloudwatch and application-autoscaling to local AWS and to moto, where it is right.

moto calls no targets, evaluates no alarm and knows hardly any rule for what is wrong: those are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.store import Store

Client = Callable[[str], Any]
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
RESOURCE = "endpoint/counts/variant/AllTraffic"
PATTERN = {"source": ["aws.sagemaker"], "detail": {"EndpointName": [{"prefix": "counts"}]}}


@pytest.fixture(params=["local", "moto"])
def client(request: pytest.FixtureRequest, home: Home, store: Store) -> Client:
    """Return a function that makes clients of local AWS with an endpoint, and in a second run of moto."""
    session: Any
    if request.param == "local":
        session = aws.session(home, lambda _home, _arn: 1)
        document = {"EndpointName": "counts", "ProductionVariants": [{"VariantName": "AllTraffic"}]}
        store.create("endpoint", "counts", document)
    else:
        session = request.getfixturevalue("moto_session")
    client: Client = session.client
    return client


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_rules_and_targets(client: Client) -> None:
    events = client("events")
    arn = events.put_rule(Name="mine", EventPattern=json.dumps(PATTERN), Description="first")["RuleArn"]
    assert arn.endswith(":rule/mine")
    found = events.describe_rule(Name="mine")
    assert (found["Arn"], found["State"], found["EventBusName"]) == (arn, "ENABLED", "default")
    assert (json.loads(found["EventPattern"]), found["Description"]) == (PATTERN, "first")
    function = arn.replace(":events:", ":lambda:").replace("rule/mine", "function:bincount-deploy")
    targets = [{"Id": "1", "Arn": function}, {"Id": "2", "Arn": function, "Input": "{}"}]
    assert events.put_targets(Rule="mine", Targets=targets)["FailedEntryCount"] == 0
    assert events.list_targets_by_rule(Rule="mine")["Targets"] == targets
    assert _code(lambda: events.delete_rule(Name="mine")) == "ValidationException"
    events.remove_targets(Rule="mine", Ids=["1", "2"])
    assert events.list_targets_by_rule(Rule="mine")["Targets"] == []
    events.disable_rule(Name="mine")
    assert events.describe_rule(Name="mine")["State"] == "DISABLED"
    events.enable_rule(Name="mine")
    listed = events.list_rules(NamePrefix="mi")["Rules"]
    assert [(rule["Name"], rule["Arn"], rule["State"]) for rule in listed] == [("mine", arn, "ENABLED")]
    events.delete_rule(Name="mine")
    assert _code(lambda: events.describe_rule(Name="mine")) == "ResourceNotFoundException"
    assert _code(lambda: events.put_targets(Rule="mine", Targets=targets)) == "ResourceNotFoundException"


def test_what_is_no_rule(client: Client) -> None:
    events = client("events")
    wrong = json.dumps({"source": "text"})
    assert _code(lambda: events.put_rule(Name="mine", EventPattern=wrong)) == "InvalidEventPatternException"
    assert _code(lambda: events.put_rule(Name="mine", ScheduleExpression="now")) == "ValidationException"
    assert _code(lambda: events.describe_rule(Name="mine")) == "ResourceNotFoundException"


def test_rule_tags(client: Client) -> None:
    events = client("events")
    tags = [{"Key": "project", "Value": "bincount"}]
    arn = events.put_rule(Name="mine", ScheduleExpression="rate(5 minutes)", Tags=tags)["RuleArn"]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "staging"}])
    found = events.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert found == [*tags, {"Key": "stage", "Value": "staging"}]


def test_events_of_ones_own(client: Client) -> None:
    good = {"Source": "me", "DetailType": "Happened", "Detail": "{}"}
    answer = client("events").put_events(Entries=[good, {**good, "Detail": "{"}])
    assert (answer["FailedEntryCount"], len(answer["Entries"])) == (1, 2)
    assert answer["Entries"][1]["ErrorCode"] == "MalformedDetail"
    assert set(answer["Entries"][0]) == {"EventId"}


def test_a_function_that_is_not_there(client: Client) -> None:
    functions = client("lambda")
    for call in (functions.get_function, functions.get_function_configuration, functions.invoke):
        assert _code(partial(call, FunctionName="nobody")) == "ResourceNotFoundException"


def test_alarms(client: Client) -> None:
    cloudwatch = client("cloudwatch")
    request = {
        "AlarmName": "counts-5xx",
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Statistic": "Average",
        "Dimensions": [{"Name": "EndpointName", "Value": "counts"}, {"Name": "VariantName", "Value": "AllTraffic"}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    }
    tags = [{"Key": "project", "Value": "bincount"}]
    cloudwatch.put_metric_alarm(**request, Tags=tags)
    cloudwatch.put_metric_alarm(**{**request, "AlarmName": "counts-latency", "MetricName": "ModelLatency"})
    (found,) = cloudwatch.describe_alarms(AlarmNames=["counts-5xx"])["MetricAlarms"]
    assert request.items() <= found.items()
    assert found["AlarmArn"].endswith(":alarm:counts-5xx")
    assert found["ActionsEnabled"] is True
    assert cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"] == tags
    cloudwatch.set_alarm_state(AlarmName="counts-5xx", StateValue="ALARM", StateReason="drill")
    (ringing,) = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert (ringing["AlarmName"], ringing["StateReason"]) == ("counts-5xx", "drill")
    listed = cloudwatch.describe_alarms(AlarmNamePrefix="counts-")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in listed] == ["counts-5xx", "counts-latency"]
    cloudwatch.delete_alarms(AlarmNames=["counts-5xx", "counts-latency"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    gone = {"AlarmName": "counts-5xx", "StateValue": "OK", "StateReason": ""}
    assert _code(lambda: cloudwatch.set_alarm_state(**gone)) == "ResourceNotFound"


def test_scaling(client: Client) -> None:
    scaling = client("application-autoscaling")
    of = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE, "ScalableDimension": DIMENSION}
    scaling.register_scalable_target(**of, MinCapacity=1, MaxCapacity=2)
    scaling.register_scalable_target(**of, MinCapacity=1, MaxCapacity=3)
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert {**of, "MinCapacity": 1, "MaxCapacity": 3}.items() <= target.items()
    tracking = {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    made = scaling.put_scaling_policy(
        **of,
        PolicyName="busy",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    assert ":scalingPolicy:" in made["PolicyARN"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (policy["PolicyName"], policy["TargetTrackingScalingPolicyConfiguration"]) == ("busy", tracking)
    scaling.delete_scaling_policy(**of, PolicyName="busy")
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    scaling.deregister_scalable_target(**of)
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
