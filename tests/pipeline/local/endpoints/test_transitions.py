from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from pipeline.local.addresses import addresses
from pipeline.local.endpoints.places import endpoint_folder

BLUE_GREEN = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}


def test_an_endpoint_comes_into_service_and_answers(hosting: Any) -> None:
    tags = [{"Key": "project", "Value": "bincount"}]
    hosting.sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName=hosting.config("v1", 2), Tags=tags)
    assert hosting.sagemaker.describe_endpoint(EndpointName="bins")["EndpointStatus"] == "Creating"
    found = hosting.settled()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "v1")
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert hosting.sagemaker.list_tags(ResourceArn=found["EndpointArn"])["Tags"] == tags
    answer = json.loads(hosting.invoke()["Body"].read())
    assert (answer["version"], answer["model"]) == ("v1", ["model.json", "model.onnx"])
    assert {json.loads(hosting.invoke()["Body"].read())["pid"] for _ in range(40)} == {
        process.pid for process in hosting.processes()
    }
    assert hosting.statuses() == ["CREATING", "IN_SERVICE"]
    assert hosting.events[-1][1]["Tags"] == {"project": "bincount"}


def test_an_update_replaces_the_servers(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    before = hosting.processes()
    found = hosting.update(hosting.config("v2", 2))
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "v2")
    assert "FailureReason" not in found
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v2"
    assert len(hosting.processes()) == 2
    assert not {one.pid for one in before} & {one.pid for one in hosting.processes()}
    assert not (endpoint_folder(hosting.home, "bins") / "v1" / "model").exists()
    assert hosting.statuses() == ["CREATING", "IN_SERVICE", "UPDATING", "IN_SERVICE"]


def test_a_server_that_ends_at_its_start_fails_the_endpoint_with_its_last_line(hosting: Any) -> None:
    found = hosting.create(hosting.config("v1", mode="crash"))
    assert found["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "exit code 1: no such operator: Conv9" in found["FailureReason"]
    log = endpoint_folder(hosting.home, "bins") / "v1" / "1.log"
    assert str(log) in found["FailureReason"]
    assert log.read_text(encoding="utf-8").count("Conv9") == 3  # the first start and two more
    assert hosting.statuses() == ["CREATING", "FAILED"]
    assert hosting.processes() == []
    hosting.delete()


def test_a_server_that_is_never_ready_fails_the_endpoint_in_time(hosting: Any) -> None:
    hosting.config("v1", mode="never")
    hosting.store.update("endpoint-config", "v1", ProductionVariants=[_impatient(hosting, "v1")])
    found = hosting.create("v1")
    assert found["EndpointStatus"] == "Failed"
    assert "no 200 from /ping within 0.5 s" in found["FailureReason"]
    assert hosting.processes() == []


def _impatient(hosting: Any, config: str) -> dict[str, Any]:
    variant: dict[str, Any] = hosting.store.get("endpoint-config", config)["ProductionVariants"][0]
    return {**variant, "ContainerStartupHealthCheckTimeoutInSeconds": 0.5}


def test_a_server_may_take_its_time(hosting: Any) -> None:
    assert hosting.create(hosting.config("v1", mode="slow"))["EndpointStatus"] == "InService"


def test_a_version_that_cannot_start_never_replaces_the_running_one(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    before = {one.pid for one in hosting.processes()}
    found = hosting.update(hosting.config("v2", 2, mode="crash"))
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "v1")
    assert "Conv9" in found["FailureReason"]
    assert {one.pid for one in hosting.processes()} == before
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v1"
    assert hosting.statuses()[2:] == ["UPDATING", "ROLLING_BACK", "IN_SERVICE"]
    assert "FailureReason" not in hosting.update(hosting.config("v3"))


def test_model_data_that_is_gone_or_broken_fails_the_endpoint(hosting: Any) -> None:
    hosting.config("v1")
    hosting.s3.delete_object(Bucket="bincount-local", Key="model.tar.gz")
    assert "there is no object" in hosting.create("v1", "gone")["FailureReason"]
    hosting.s3.put_object(Bucket="bincount-local", Key="model.tar.gz", Body=b"no archive")
    assert "cannot be unpacked: not a gzip file" in hosting.create("v1", "broken")["FailureReason"]


@pytest.mark.parametrize("mode", ["good", "stubborn"])
def test_delete_leaves_no_process_no_record_no_folder(hosting: Any, mode: str) -> None:
    hosting.create(hosting.config("v1", 2, mode=mode), Tags=[{"Key": "a", "Value": "b"}])
    hosting.delete()
    assert hosting.processes() == []
    assert list((hosting.home.root / "endpoints").iterdir()) == []
    assert (hosting.store.find("endpoint"), hosting.store.find("tags")) == ([], [])
    assert hosting.statuses()[-2:] == ["DELETING", "DELETED"]
    assert hosting.create("v1")["EndpointStatus"] == "InService"


def test_an_endpoint_in_transition_is_left_alone(hosting: Any) -> None:
    hosting.config("v1", mode="slow")
    hosting.config("v2")
    sagemaker = hosting.sagemaker
    sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="v1")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName="bins")
    with pytest.raises(ClientError, match="in use by in-progress endpoint"):
        sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    with pytest.raises(ClientError, match="not found") as caught:
        hosting.invoke()
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    hosting.settled()


def test_a_canary_takes_its_share_then_all(hosting: Any) -> None:
    hosting.create(hosting.config("v1", 2))
    hosting.config("v2", 2)
    traffic = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 1,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
    }
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic}}
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2", DeploymentConfig=policy)
    while len(hosting.document()["_servers"]) < 4:
        time.sleep(0.01)
    weights = [(server["config"], server["weight"]) for server in hosting.document()["_servers"]]
    assert weights == [("v1", 0.25), ("v1", 0.25), ("v2", 0.5), ("v2", 0.0)]
    seen = {json.loads(hosting.invoke()["Body"].read())["version"] for _ in range(30)}
    assert seen == {"v1", "v2"}
    assert hosting.settled()["EndpointConfigName"] == "v2"


def test_an_alarm_rolls_back(hosting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.local.aws import alarms

    states = iter(["OK", "OK", "OK"])
    monkeypatch.setattr(alarms, "alarm_state", lambda _account, _name: next(states, "ALARM"))
    hosting.create(hosting.config("v1"))
    traffic = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "v2-5xx"}]},
    }
    found = hosting.update(hosting.config("v2"), DeploymentConfig=policy)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "v1")
    assert "v2-5xx" in found["FailureReason"]
    assert found["LastDeploymentConfig"] == policy
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v1"
    assert len(hosting.processes()) == 1


def test_errors_of_the_new_servers_ring_their_alarm_and_roll_back(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    hosting.config("v2", mode="500")
    dimensions = {"EndpointName": "bins", "VariantName": "AllTraffic", "EndpointConfigName": "v2"}
    hosting.cloudwatch.put_metric_alarm(
        AlarmName="v2-5xx",
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        Statistic="Average",
        Period=10,
        EvaluationPeriods=1,
        Threshold=0.5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    policy = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "v2-5xx"}]},
    }
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2", DeploymentConfig=policy)
    while len(hosting.document()["_servers"]) < 2:
        time.sleep(0.01)
    with pytest.raises(ClientError, match="server error"):  # once is enough: a second may find v1 back already
        hosting.invoke()
    found = hosting.settled()
    assert found["EndpointConfigName"] == "v1"
    assert found["FailureReason"] == "Alarms in ALARM state: v2-5xx"
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v1"


def test_a_server_that_dies_while_it_is_watched_rolls_back(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    hosting.config("v2", mode="dies")
    traffic = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 600}
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic}}
    hosting.sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2", DeploymentConfig=policy)
    while len(hosting.document()["_servers"]) < 2:
        time.sleep(0.01)
    hosting.invoke()
    found = hosting.settled()
    assert found["EndpointConfigName"] == "v1"
    assert "ended while the deployment was watched" in found["FailureReason"]


def test_retained_properties_are_those_of_the_running_fleet(hosting: Any) -> None:
    hosting.create(hosting.config("v1", 2))
    found = hosting.update(hosting.config("v2", 1), RetainAllVariantProperties=True)
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    excluded = [{"VariantPropertyType": "DesiredInstanceCount"}]
    hosting.config("v3", 1)
    found = hosting.update("v3", RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_servers_that_died_are_started_again_when_they_are_asked(hosting: Any) -> None:
    hosting.create(hosting.config("v1", 2))
    hosting.sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    hosting.sagemaker.delete_model(ModelName="v1")
    assert len(addresses(hosting.home, "bins")) == 2
    for process in hosting.processes():
        process.kill()
    psutil.wait_procs(hosting.processes(), 5)
    assert addresses(hosting.home, "bins") == []
    assert json.loads(hosting.invoke()["Body"].read())["version"] == "v1"
    hosting.join()
    assert len(hosting.processes()) == len(addresses(hosting.home, "bins")) == 2


def test_servers_that_cannot_be_started_again_say_why(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    live = hosting.document()["_live"]
    hosting.store.update("endpoint", "bins", _live={**live, "environment": {"MODE": "crash"}})
    for process in hosting.processes():
        process.kill()
    with pytest.raises(ClientError, match="Conv9") as caught:
        hosting.invoke()
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"


def test_what_this_machine_lacks_for_a_restart_is_said_too(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    log = Path(hosting.document()["_servers"][0]["folder"]) / "1.log"
    log.unlink()
    log.mkdir()  # stands for a disk that is full, no rights, no processes left
    for process in hosting.processes():
        process.kill()
    with pytest.raises(ClientError, match="This machine cannot start the servers") as caught:
        hosting.invoke()
    assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
