"""From an empty AWS account to a model in production and back: commands as they are typed, against moto's server.

What nothing here can do is played: jobs (`play`) and the container engine. The tests are one story, told in the order
of the file; among its steps are the mistakes that people make there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto.sagemaker.responses import SageMakerResponse

from pipeline.local.expressions import Scope, typed_parameters
from tests import engines, moto_pipelines
from tests.deployments import SMOKE
from tests.engines import FakeEngine
from tests.iam_calls import ROOT
from tests.manifests import put_image
from tests.moto_account import Account, serving
from tests.registered import evaluation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:Tried to parse"),
]
BUCKET = "bincount-123456789012-us-east-1"
GROUP = "bincount-dev"
DEV = ("--profile", "dev")


@pytest.fixture(scope="module")
def patches() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patches:
        yield patches


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory, patches: pytest.MonkeyPatch) -> Iterator[Account]:
    with serving(tmp_path_factory.mktemp("user"), patches) as account:
        yield account


@pytest.fixture(scope="module")
def podman(account: Account, patches: pytest.MonkeyPatch) -> FakeEngine:
    return engines.install(account.folder, patches)


def last(account: Account) -> str:
    """Return the ARN of the latest execution."""
    listed = account.client("sagemaker").list_pipeline_executions(PipelineName=GROUP)["PipelineExecutionSummaries"]
    return str(listed[0]["PipelineExecutionArn"])


def play(account: Account, arn: str) -> None:
    """Do what the service and the jobs would, as the definition that was started says it."""
    sagemaker = account.client("sagemaker")
    about = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    definition = json.loads(about["PipelineDefinition"])
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    made = _jobs(account)
    scope = Scope(
        parameters=typed_parameters(definition["Parameters"], {one["Name"]: one["Value"] for one in given}),
        execution={"PipelineExecutionArn": arn},
        properties=lambda step: made[step],
        property_file=lambda _step, _name: evaluation(0.8, "digest"),
        json_object=lambda _uri: pytest.fail("nothing reads JSON from S3"),
    )
    steps = {step["Name"]: step for step in definition["Steps"]}
    gate = {step["Name"]: step for step in steps["Gate"]["Arguments"]["IfSteps"]}
    for name in ("Split", "Tune", "Train", "Champion", "Evaluate"):
        if name == "Champion":
            _call(account, arn, steps[name], scope)
        else:
            moto_pipelines.put_step(arn, name, "Succeeded")
    moto_pipelines.put_step(arn, "Gate", "Succeeded", Metadata={"Condition": {"Outcome": "True"}})
    version = sagemaker.create_model_package(**scope.resolve(gate["Register"]["Arguments"]))["ModelPackageArn"]
    made["Register"] = {"ModelPackageArn": version}
    moto_pipelines.put_step(arn, "Register", "Succeeded", Metadata={"RegisterModel": {"Arn": version}})
    _call(account, arn, gate["Deploy"], scope)
    moto_pipelines.end(arn)
    account.bus.settle()


def _jobs(account: Account) -> dict[str, dict[str, Any]]:
    """Write what the jobs would write, and return what the service would say of them."""
    s3, place = account.client("s3"), f"s3://{BUCKET}/played"
    files = {"evaluation/evaluation.json": evaluation(0.8, "digest"), "evaluation/smoke.json": SMOKE}
    for name, content in {**files, "report/report.html": {}, "model.tar.gz": {}}.items():
        s3.put_object(Bucket=BUCKET, Key=f"played/{name}", Body=json.dumps(content).encode())

    def outputs(*names: str) -> dict[str, Any]:
        listed = [{"OutputName": name, "S3Output": {"S3Uri": f"{place}/{name}"}} for name in names]
        return {"ProcessingOutputConfig": {"Outputs": listed}, "ProcessingJobArn": "arn:aws:sagemaker:job"}

    return {
        "Split": outputs("train", "validation", "test"),
        "Train": {"ModelArtifacts": {"S3ModelArtifacts": f"{place}/model.tar.gz"}, "TrainingJobArn": "arn:aws:job"},
        "Evaluate": outputs("evaluation", "report"),
    }


def _call(account: Account, arn: str, step: dict[str, Any], scope: Scope) -> None:
    """Call the function of a step, and keep what it answered."""
    answer = account.invoke(step["FunctionArn"].rpartition(":")[2], scope.resolve(step["Arguments"]))
    listed = [{"Name": one["OutputName"], "Value": str(answer[one["OutputName"]])} for one in step["OutputParameters"]]
    metadata = {"Lambda": {"Arn": step["FunctionArn"], "OutputParameters": listed}}
    moto_pipelines.put_step(arn, step["Name"], "Succeeded", Metadata=metadata)


def left(account: Account) -> set[str]:
    """Return the kinds of things that the account still holds."""
    found = {
        "stacks": account.client("cloudformation").describe_stacks()["Stacks"],
        "buckets": account.client("s3").list_buckets()["Buckets"],
        "repositories": account.client("ecr").describe_repositories()["repositories"],
        "roles": account.client("iam").list_roles()["Roles"],
        "policies": account.client("iam").list_policies(Scope="Local")["Policies"],
        "functions": account.client("lambda").list_functions()["Functions"],
        "rules": account.client("events").list_rules()["Rules"],
        "alarms": account.client("cloudwatch").describe_alarms()["MetricAlarms"],
        "topics": account.client("sns").list_topics().get("Topics", []),
        "queues": account.client("sqs").list_queues().get("QueueUrls", []),
        "logs": account.client("logs").describe_log_groups()["logGroups"],
        "scaling": account.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
            "ScalableTargets"
        ],
    }
    sagemaker = account.client("sagemaker")
    found |= {
        "pipelines": sagemaker.list_pipelines()["PipelineSummaries"],
        "versions": sagemaker.list_model_packages()["ModelPackageSummaryList"],
        "groups": sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"],
        "endpoints": sagemaker.list_endpoints()["Endpoints"],
        "configs": sagemaker.list_endpoint_configs()["EndpointConfigs"],
        "models": sagemaker.list_models()["Models"],
    }
    return {kind for kind, things in found.items() if things}


def test_nothing_is_there_at_first(account: Account) -> None:
    assert left(account) == set()
    upsert = account.on_aws("upsert", *DEV, code=1)
    assert upsert.stderr.startswith("error: there is no stack bincount in us-east-1: run `bincount bootstrap`")


def test_bootstrap(account: Account) -> None:
    assert BUCKET in account.bincount("bootstrap", "--yes", "-p", "ServingProfile=dev").stdout
    assert {"stacks", "buckets", "repositories", "roles", "functions", "rules", "groups"} <= left(account)


def test_another_region_and_no_keys(account: Account) -> None:
    elsewhere = account.on_aws("upsert", *DEV, code=1, AWS_DEFAULT_REGION="eu-west-1").stderr
    assert elsewhere.startswith("error: there is no stack bincount in eu-west-1: run `bincount bootstrap`, or set the")
    nobody = account.on_aws("upsert", *DEV, code=1, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="").stderr
    assert nobody.startswith("error: there are no AWS credentials: run `aws configure`")
    assert {len(text.splitlines()) for text in (elsewhere, nobody)} == {1}


def test_plan(account: Account, podman: FakeEngine) -> None:
    account.bincount("data", "synth", "photos", "--photos", 3, "--size", 64)
    before = left(account)
    planned = account.on_aws("run", *DEV, "-p", "DataUri=photos", "--dry-run").stdout.splitlines()
    rows = [tuple(line.split("\t")[:2]) for line in planned]
    images = [("build and push", "image")] * 4
    assert rows == [*images, ("upload", "photos"), ("create", "pipeline"), ("start", "execution")]
    assert left(account) == before


def test_images(account: Account, podman: FakeEngine) -> None:
    assert "not built here: split, train" in account.bincount("images", "push", code=1).stderr
    account.on_aws("images", "build")
    pushed = account.bincount("images", "push").stdout.splitlines()
    assert [line.partition("\t")[0] for line in pushed] == ["pushed"] * 4
    for _, _, uri in (line.partition("\t") for line in pushed):
        repository, _, tag = uri.partition("/")[2].partition(":")
        put_image(account.session, repository, tag)  # the engine is none: it brought nothing
    listed = json.loads(account.on_aws("images", "list", "--json").stdout)
    assert [one["in_ecr"] for one in listed] == [True] * 4


def test_upsert(account: Account) -> None:
    role = "arn:aws:iam::123456789012:role/bincount-pipeline"
    account.refusals["create_pipeline"] = f"Could not assume role {role}. Please ensure that the role exists."
    refused = account.on_aws("upsert", *DEV, code=1)
    assert refused.stderr.startswith(f"error: AWS refuses CreatePipeline: SageMaker cannot assume {role}: `bincount")
    account.refusals["create_pipeline"] = "Invalid instance type ml.c5.huge in step Train."
    refused = account.on_aws("upsert", *DEV, code=1)
    assert "error: " in refused.stderr
    assert "Train" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert account.on_aws("upsert", *DEV).stdout == f"pipeline {GROUP} created, version 1\n"


def test_start_and_what_fails_of_it(account: Account) -> None:
    started = account.on_aws("start", *DEV, "-p", "DataUri=photos").stdout.strip()
    arn = last(account)
    assert arn.endswith(f"/{started}")
    quota = "'ml.c5.2xlarge for training job usage'"
    reasons = {
        f"ResourceLimitExceeded: The account-level service limit {quota} is 0": f"advice     ask for more of {quota}",
        "ClientError: image does not exist": "advice     the image is not in ECR: `bincount images push`",
    }
    for reason, advice in reasons.items():
        moto_pipelines.put_step(arn, "Split", "Failed", FailureReason=reason)
        moto_pipelines.end(arn, "Failed", "Step failure: One or multiple steps failed.")
        watched = account.on_aws("watch", code=1).stdout
        assert f"Split: {reason}\n" in watched
        assert advice in watched


def test_start_and_status(account: Account) -> None:
    account.on_aws("start", *DEV, "-p", "DataUri=photos", "--name", "good")
    assert "Executing" in account.on_aws("status", "good").stdout
    play(account, last(account))
    about = json.loads(account.on_aws("status", "good", "--json").stdout)
    assert (about["status"], about["outcome"]["gate"]) == ("Succeeded", [])
    assert about["outcome"]["version"] == f"version 1 of {GROUP} (PendingManualApproval)"
    assert about["outcome"]["staging"].startswith(f"{GROUP}-staging is InService, smoke test passed")


def test_approve(account: Account) -> None:
    approved = account.on_aws("models", "approve", 1, "--yes")
    assert approved.stdout == f"production version 1: {GROUP}-production is InService, smoke test passed\n"
    listed = [line.split("\t")[:6] for line in account.on_aws("endpoints").stdout.splitlines()]
    assert listed == [
        [f"{GROUP}-{stage}", stage, "InService", "1", "1", "Passed"] for stage in ("production", "staging")
    ]
    rules = [rule for rule, _ in account.bus.delivered]
    assert rules == ["bincount-endpoint", "bincount-approval", "bincount-endpoint"]


def test_predict(account: Account) -> None:
    event = ROOT / "tests" / "events" / "predict" / "http-v2-photo.json"
    answer = json.loads(account.on_aws("invoke", event).stdout)
    assert answer["statusCode"] == 200
    body = json.loads(answer["body"])
    assert (body["endpoint"], body["result"]["model_version"]) == (f"{GROUP}-production", f"{GROUP}/1")
    photo = next((account.folder / "photos").rglob("*.jpg"))
    assert f"{GROUP}/1" in account.on_aws("endpoint", "predict", "staging", photo).stdout


def test_run_and_approve_what_follows(account: Account) -> None:
    start = SageMakerResponse.start_pipeline_execution

    def start_and_play(self: Any) -> Any:
        answer = start(self)
        play(account, last(account))
        return answer

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(SageMakerResponse, "start_pipeline_execution", start_and_play)
        ran = account.on_aws("run", *DEV, "-p", "DataUri=photos")
    assert [line.split("\t")[0] for line in ran.stdout.splitlines()[:3]] == ["keep", "keep", "start"]
    assert f"version 2 of {GROUP} (PendingManualApproval)" in ran.stdout
    listed = account.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=last(account))
    champion = next(one for one in listed["PipelineExecutionSteps"] if one["StepName"] == "Champion")
    assert {"Name": "Version", "Value": f"{GROUP}/1"} in champion["Metadata"]["Lambda"]["OutputParameters"]
    approved = account.on_aws("models", "approve", 2, "--yes")
    assert approved.stdout == f"production version 2: {GROUP}-production is InService, smoke test passed\n"
    assert "alarms" in left(account)


def test_cleanup(account: Account) -> None:
    before = left(account)
    removed = account.on_aws("cleanup", "--yes").stdout
    assert f"removed endpoint {GROUP}-production\n" in removed
    account.bus.settle()  # the function hears of it, and brings nothing back
    assert before - left(account) == {"endpoints", "configs", "models", "alarms"}
    assert account.bus.delivered[-1][1]["production"]["Actions"] == "none"


def test_teardown(account: Account) -> None:
    account.on_aws("endpoint", "reconcile", *DEV)
    account.bus.settle()
    assert "endpoints" in left(account)
    unasked = account.bincount("teardown", code=1)
    assert "--stack bincount goes on" in unasked.stderr
    account.bincount("teardown", "--stack", "bincount")
    assert left(account) == set()
    assert "there is nothing to remove" in account.bincount("teardown").stderr
