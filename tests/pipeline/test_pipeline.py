import json
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest

from pipeline.job_settings import Backbone, Hyperparameters
from pipeline.local.cache import cache_key
from pipeline.local.expressions import Scope
from pipeline.settings import PROFILES, load_settings
from pipeline.validate import validate_definition
from steps.split.__main__ import DEFAULT_SALT
from steps.split.__main__ import arguments as split_parser
from steps.train import hyperparameters as training

Definition = dict[str, Any]
Compile = Callable[..., Definition]

# What the service hashes for its step cache, by its documentation ("default cache key attributes").
CACHE_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": ("AlgorithmSpecification", "CheckpointConfig", "Environment", "HyperParameters", "InputDataConfig"),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition"),
}
NOT_KEYS_OF_TRIALS = {"OutputDataConfig", "ResourceConfig", "RoleArn", "StoppingCondition"}
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:bincount"


def steps(definition: Definition) -> dict[str, Definition]:
    found = {}
    for step in definition["Steps"]:
        found[step["Name"]] = step
        for branch in ("IfSteps", "ElseSteps"):
            found |= {inner["Name"]: inner for inner in step["Arguments"].get(branch, [])}
    return found


def arguments(definition: Definition, name: str) -> Definition:
    found: Definition = steps(definition)[name]["Arguments"]
    return found


def jobs(definition: Definition) -> Iterator[tuple[str, Definition]]:
    """Give each job's request; of Tune, that of its trials."""
    for name in ("Split", "Tune", "Train", "Evaluate"):
        request = arguments(definition, name)
        yield name, request.get("TrainingJobDefinition", request)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_compiles_to_a_definition_without_fault(compiled: Compile, profile: str) -> None:
    assert validate_definition(json.dumps(compiled(profile))) == []


def test_with_every_option_set_there_is_no_fault_either(compiled: Compile) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    definition = compiled(
        "prod",
        aws__volume_kms_key=key,
        aws__output_kms_key=key,
        aws__subnets="subnet-1,subnet-2",
        aws__security_groups="sg-1",
        aws__tags={"team": "bins"},
        split__previous_split_uri="s3://bincount-local/old/report",
        hyperparameters__weights="channel",
        train__weights_uri="s3://bincount-local/weights/",
        deploy__function_arn=f"{FUNCTION}-deploy:live",
        deploy__champion_function_arn=f"{FUNCTION}-champion",
        tune__ranges={"batch_size": {"min": 64, "max": 256}, "backbone": {"values": ["resnet18", "resnet34"]}},
    )
    assert validate_definition(json.dumps(definition)) == []


def test_the_dag_reads_as_it_is_told(compiled: Compile) -> None:
    definition = compiled()
    names = ["Split", "Tune", "Train", "Champion", "Evaluate", "Gate"]
    assert [step["Name"] for step in definition["Steps"]] == names
    gate = arguments(definition, "Gate")
    assert [step["Name"] for step in gate["IfSteps"]] == ["Register", "Deploy"]
    assert [(step["Name"], step["Type"]) for step in gate["ElseSteps"]] == [("BelowGate", "Fail")]
    assert [condition["Type"] for condition in gate["Conditions"]] == ["GreaterThanOrEqualTo"] * 2
    assert [condition["LeftValue"]["Std:JsonGet"]["Path"] for condition in gate["Conditions"]] == [
        "multiclass_classification_metrics.macro_f1.value",
        "champion.improvement.value",
    ]


def test_parameters_have_defaults_of_their_type_from_the_settings(compiled: Compile) -> None:
    parameters = {parameter["Name"]: parameter for parameter in compiled()["Parameters"]}
    settings = load_settings("demo")
    assert {
        "DataUri", "ProcessingInstanceType", "ProcessingInstanceCount", "TuningInstanceType", "TuningInstanceCount",
        "TrainingInstanceType", "TrainingInstanceCount", "Epochs", "MinMacroF1", "MinImprovement", "ApprovalStatus",
        "CommitId",
    } <= set(parameters)  # fmt: skip
    assert all("DefaultValue" in parameter for parameter in parameters.values())
    assert parameters["Epochs"] == {"Name": "Epochs", "Type": "Integer", "DefaultValue": settings.train.epochs}
    assert parameters["MinMacroF1"]["DefaultValue"] == settings.gate.min_macro_f1
    assert parameters["ApprovalStatus"]["EnumValues"] == ["PendingManualApproval", "Approved", "Rejected"]


def test_every_parameter_is_used(compiled: Compile) -> None:
    definition = compiled()
    text = json.dumps(definition["Steps"])
    assert [name["Name"] for name in definition["Parameters"] if f'"Parameters.{name["Name"]}"' not in text] == []


def test_a_tuned_hyperparameter_is_no_parameter(compiled: Compile) -> None:
    definition = compiled(tune__ranges={"batch_size": {"values": ["16", "32"]}})
    assert "BatchSize" not in {parameter["Name"] for parameter in definition["Parameters"]}
    assert "batch_size" not in arguments(definition, "Tune")["TrainingJobDefinition"]["StaticHyperParameters"]


@pytest.mark.parametrize("profile", PROFILES)
def test_no_cache_key_holds_what_changes_from_run_to_run(compiled: Compile, profile: str) -> None:
    for step in compiled(profile)["Steps"]:
        if step["Type"] not in CACHE_KEYS:
            continue
        assert step["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}
        keys = {key: step["Arguments"].get(key) for key in CACHE_KEYS[step["Type"]]}
        if step["Type"] == "Tuning":
            trials = step["Arguments"]["TrainingJobDefinition"]
            keys["TrainingJobDefinition"] = {key: trials[key] for key in trials if key not in NOT_KEYS_OF_TRIALS}
        text = json.dumps(keys)
        assert "Execution." not in text
        assert "CommitId" not in text
        assert not re.search(r"\d{4}-\d{2}-\d{2}|\b\d{10}\b", text.replace("000000000000", ""))  # dates, epoch seconds


def test_what_the_search_found_reaches_train_and_the_rest_is_the_same_for_both(compiled: Compile) -> None:
    definition = compiled("prod")
    static = arguments(definition, "Tune")["TrainingJobDefinition"]["StaticHyperParameters"]
    given = arguments(definition, "Train")["HyperParameters"]
    tuned = set(load_settings("prod").tune.ranges)
    assert set(given) == set(Hyperparameters.model_fields) | {"epochs"}
    assert set(static) == set(given) - tuned - {"teacher_weight"}
    for name in tuned:
        assert given[name] == as_text(f"Steps.Tune.BestTrainingJob.TunedHyperParameters['{name}']")
    assert {name for name in static if static[name] != given[name]} == {"epochs", "image_size"}


def test_the_best_trials_teach_train_from_wherever_the_search_left_them(compiled: Compile) -> None:
    definition = compiled(tune__trials=3, train__teachers=2)
    channels = {one["ChannelName"]: one["DataSource"] for one in arguments(definition, "Train")["InputDataConfig"]}
    for place in range(2):
        source = channels[f"teacher_{place + 1}"]["S3DataSource"]
        prefix = {"Get": "Steps.Tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"}
        name = {"Get": f"Steps.Tune.TrainingJobSummaries[{place}].TrainingJobName"}
        assert source["S3Uri"] == {"Std:Join": {"On": "/", "Values": [prefix, name, "output/model.tar.gz"]}}
        assert source["S3DataDistributionType"] == "FullyReplicated"
    assert "teacher_3" not in channels
    trials = arguments(definition, "Tune")["TrainingJobDefinition"]["InputDataConfig"]
    assert set(channels) - {one["ChannelName"] for one in trials} == {"teacher_1", "teacher_2"}
    assert validate_definition(json.dumps(definition)) == []


def test_trials_may_be_told_otherwise_than_train(compiled: Compile) -> None:
    definition = compiled(tune__hyperparameters__image_size=64, tune__hyperparameters__freeze_batchnorm=True)
    told = arguments(definition, "Tune")["TrainingJobDefinition"]["StaticHyperParameters"]
    assert (told["image_size"], told["freeze_batchnorm"]) == ("64", "true")
    assert told["batch_size"] == as_text("Parameters.BatchSize")
    given = arguments(definition, "Train")["HyperParameters"]
    assert (given["image_size"], given["freeze_batchnorm"]) == (as_text("Parameters.ImageSize"), "false")


def test_another_weight_of_the_teachers_leaves_the_search_in_the_cache(compiled: Compile) -> None:
    one, other = (compiled(hyperparameters__teacher_weight=weight) for weight in (0.3, 0.6))
    assert arguments(one, "Tune") == arguments(other, "Tune")
    assert arguments(other, "Train")["HyperParameters"]["teacher_weight"] == "0.6"


def as_text(reference: str) -> dict[str, Any]:
    return {"Std:Join": {"On": "", "Values": [{"Get": reference}]}}


def test_hyperparameters_are_strings_at_run_time(compiled: Compile) -> None:
    definition = compiled()
    types = {parameter["Name"]: parameter["Type"] for parameter in definition["Parameters"]}
    for value in arguments(definition, "Train")["HyperParameters"].values():
        if not isinstance(value, str) and "Std:Join" not in value:
            assert types[value["Get"].removeprefix("Parameters.")] == "String"


def test_the_hyperparameters_are_those_of_the_training_step_with_its_defaults() -> None:
    theirs = training.Hyperparameters().model_dump(exclude={"epochs"})
    assert Hyperparameters().model_dump() == theirs
    assert get_args(Backbone) == get_args(training.Backbone)


def test_split_understands_its_arguments(compiled: Compile) -> None:
    definition = compiled()
    defaults = {parameter["Name"]: parameter["DefaultValue"] for parameter in definition["Parameters"]}
    words = [
        word if isinstance(word, str) else str(defaults[word["Std:Join"]["Values"][0]["Get"].split(".")[1]])
        for word in arguments(definition, "Split")["AppSpecification"]["ContainerArguments"]
    ]
    given = vars(split_parser().parse_args(words))
    expected = load_settings("demo").split.model_dump(include=set(given))
    assert given.items() >= expected.items()
    assert len(expected) * 2 == len(words)
    assert expected["salt"] == DEFAULT_SALT


def test_ranges_say_their_kind(compiled: Compile) -> None:
    ranges = {
        "batch_size": {"min": 16, "max": 64},
        "dropout": {"min": 0.1, "max": 0.5, "scale": "Linear"},
        "backbone": {"values": ["resnet18"]},
    }
    found = arguments(compiled(tune__ranges=ranges), "Tune")["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert found == {
        "ContinuousParameterRanges": [
            {"Name": "dropout", "MinValue": "0.1", "MaxValue": "0.5", "ScalingType": "Linear"}
        ],
        "IntegerParameterRanges": [{"Name": "batch_size", "MinValue": "16", "MaxValue": "64", "ScalingType": "Auto"}],
        "CategoricalParameterRanges": [{"Name": "backbone", "Values": ["resnet18"]}],
    }


def test_the_search_minimises_a_metric_that_training_prints(compiled: Compile) -> None:
    tune = arguments(compiled(), "Tune")
    specification = tune["TrainingJobDefinition"]["AlgorithmSpecification"]
    objective = tune["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    assert objective == {"Type": "Minimize", "MetricName": "best_val_loss"}
    line = (
        "epoch=3 train_loss=0.91234 val_loss=1.0e-01 val_accuracy=0.5 val_macro_f1=0.41 val_mae=0.7 val_coverage=0.2 "
        "images_per_second=31.5 best_val_loss=0.09 best_val_macro_f1=0.43"
    )
    found = {
        metric["Name"]: [float(value) for value in re.findall(metric["Regex"], line)]
        for metric in specification["MetricDefinitions"]
    }
    assert found == {
        "train_loss": [0.91234],
        "val_loss": [0.1],
        "val_accuracy": [0.5],
        "val_macro_f1": [0.41],
        "val_mae": [0.7],
        "val_coverage": [0.2],
        "images_per_second": [31.5],
        "best_val_loss": [0.09],
        "best_val_macro_f1": [0.43],
    }
    assert (
        arguments(compiled(), "Train")["AlgorithmSpecification"]["MetricDefinitions"]
        == (specification["MetricDefinitions"])
    )


def test_every_job_is_isolated_encrypted_tagged_and_has_its_role_and_time(compiled: Compile) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    definition = compiled(
        aws__volume_kms_key=key, aws__output_kms_key=key, aws__subnets="subnet-1", aws__security_groups="sg-1"
    )
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    for name, job in jobs(definition):
        network = job.get("NetworkConfig", job)
        assert network["EnableNetworkIsolation"] is True
        assert network["EnableInterContainerTrafficEncryption"] is True
        assert network["VpcConfig"] == vpc
        cluster = job.get("ResourceConfig") or job["ProcessingResources"]["ClusterConfig"]
        assert cluster["VolumeKmsKeyId"] == key
        assert (job.get("OutputDataConfig") or job["ProcessingOutputConfig"])["KmsKeyId"] == key
        kind = "processing" if name in {"Split", "Evaluate"} else "training"
        assert job["RoleArn"] == f"arn:aws:iam::000000000000:role/bincount-{kind}"
        assert job["StoppingCondition"]["MaxRuntimeInSeconds"] % 60 == 0
        tags = {tag["Key"]: tag["Value"] for tag in arguments(definition, name)["Tags"]}
        assert tags == {"project": "bincount", "profile": "demo", "step": name.lower()}


def test_a_disk_inside_the_machine_is_given_no_key(compiled: Compile) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/1"
    for name, job in jobs(compiled("prod", aws__volume_kms_key=key)):
        cluster = job.get("ResourceConfig") or job["ProcessingResources"]["ClusterConfig"]
        assert cluster.get("VolumeKmsKeyId") == (None if name in {"Tune", "Train"} else key)


def test_each_kind_of_step_is_retried_for_what_it_can_be(compiled: Compile) -> None:
    found = {
        name: [exception for policy in step["RetryPolicies"] for exception in policy["ExceptionType"]]
        for name, step in steps(compiled()).items()
        if "RetryPolicies" in step
    }
    service = ["Step.SERVICE_FAULT", "Step.THROTTLING"]
    capacity = ["SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"]
    job = [*service, "SageMaker.JOB_INTERNAL_ERROR", *capacity]
    assert found == {
        "Split": job,
        "Tune": [*service, *capacity],  # it ignores internal errors of its trials; their RetryStrategy does not
        "Train": job,
        "Evaluate": job,
        "Register": service,
    }
    trials = arguments(compiled(), "Tune")["TrainingJobDefinition"]
    assert trials["RetryStrategy"] == {"MaximumRetryAttempts": load_settings("demo").tune.retries}


def test_spot_machines_come_with_checkpoints_and_a_limit_to_waiting(compiled: Compile) -> None:
    for name, job in jobs(compiled("prod")):
        if name in {"Tune", "Train"}:
            assert job["EnableManagedSpotTraining"] is True
            assert job["StoppingCondition"]["MaxWaitTimeInSeconds"] >= job["StoppingCondition"]["MaxRuntimeInSeconds"]
            assert job["CheckpointConfig"]["S3Uri"] == f"s3://bincount-local/bincount/checkpoints/prod/{name.lower()}/"


def test_outputs_lie_under_their_execution(compiled: Compile) -> None:
    definition = compiled()
    root = ["s3://bincount-local/bincount/executions", {"Get": "Execution.PipelineExecutionId"}]
    for name in ("Split", "Evaluate"):
        for output in arguments(definition, name)["ProcessingOutputConfig"]["Outputs"]:
            assert output["S3Output"]["S3Uri"] == {
                "Std:Join": {"On": "/", "Values": [*root, name.lower(), output["OutputName"]]}
            }
            assert output["S3Output"]["LocalPath"] == f"/opt/ml/processing/output/{output['OutputName']}"
    train = arguments(definition, "Train")["OutputDataConfig"]["S3OutputPath"]
    assert train == {"Std:Join": {"On": "/", "Values": [*root, "train"]}}


def inputs(definition: Definition, step: str) -> dict[str, Definition]:
    return {given["InputName"]: given["S3Input"] for given in arguments(definition, step)["ProcessingInputs"]}


def test_an_earlier_split_is_an_input_only_when_set(compiled: Compile) -> None:
    assert "previous" not in inputs(compiled(), "Split")
    uri = "s3://bincount-local/old/report"
    previous = inputs(compiled(split__previous_split_uri=uri), "Split")["previous"]
    assert (previous["S3Uri"], previous["LocalPath"]) == (uri, "/opt/ml/processing/input/previous")


def test_manifests_take_the_place_of_prefixes_where_they_are_asked_for(compiled: Compile) -> None:
    given = inputs(compiled(split__data_type="ManifestFile"), "Split")
    for name, file, distribution in (
        ("photos", "photos.manifest", "ShardedByS3Key"),
        ("labels", "labels.manifest", "FullyReplicated"),
    ):
        assert given[name]["S3DataType"] == "ManifestFile"
        assert given[name]["S3Uri"]["Std:Join"]["Values"] == [{"Get": "Parameters.DataUri"}, file]
        assert given[name]["S3DataDistributionType"] == distribution
    assert {one["S3DataType"] for one in inputs(compiled(), "Split").values()} == {"S3Prefix"}


def test_the_champion_is_found_at_run_time_and_named_to_evaluate(compiled: Compile) -> None:
    definition = compiled()
    champion = steps(definition)["Champion"]
    assert (champion["Type"], champion["FunctionArn"]) == ("Lambda", f"{FUNCTION}-champion")
    assert champion["Arguments"] == {
        "ModelPackageGroupName": "bincount-demo",
        "ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
    }
    left = "Steps.Champion.OutputParameters"
    assert inputs(definition, "Evaluate")["champion"]["S3Uri"] == {"Get": f"{left}['ModelDataUrl']"}
    words = arguments(definition, "Evaluate")["AppSpecification"]["ContainerArguments"]
    assert words[words.index("--champion") + 1] == {"Get": f"{left}['Version']"}


def evaluation_key(definition: Definition, model: str, version: str) -> str | None:
    """Return the cache key of Evaluate when Champion found this version."""

    def properties(step: str) -> Definition:
        outputs = [{"OutputName": name, "S3Output": {"S3Uri": f"s3://b/{name}"}} for name in ("test", "report")]
        left: dict[str, Definition] = {
            "Split": {"ProcessingOutputConfig": {"Outputs": outputs}},
            "Train": {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/new/model.tar.gz"}},
            "Champion": {"OutputParameters": {"ModelDataUrl": model, "Version": version}},
        }
        return left[step]

    nothing: Any = None
    given = {parameter["Name"]: parameter["DefaultValue"] for parameter in definition["Parameters"]}
    scope = Scope(given, {"PipelineExecutionId": "0a1b2c3d4e5f"}, properties, nothing, nothing)
    return cache_key("Processing", scope.resolve(arguments(definition, "Evaluate")))


def test_another_champion_is_compared_with_and_the_same_one_is_not_again(compiled: Compile) -> None:
    none = evaluation_key(compiled(), "s3://b/new/model.tar.gz", "none")
    first = evaluation_key(compiled(), "s3://b/old/model.tar.gz", "bincount-demo/1")
    again = evaluation_key(compiled(), "s3://b/old/model.tar.gz", "bincount-demo/1")
    # Registered from cached steps, a version has the artifact of the one before.
    second = evaluation_key(compiled(), "s3://b/old/model.tar.gz", "bincount-demo/2")
    assert first == again
    assert len({none, first, second}) == 3


def test_photos_are_sharded_over_hosts_and_labels_are_not(compiled: Compile) -> None:
    found = inputs(compiled(), "Split")
    assert found["photos"]["S3DataDistributionType"] == "ShardedByS3Key"
    assert found["labels"]["S3DataDistributionType"] == "FullyReplicated"


def test_the_version_says_what_serves_it_how_good_it_is_and_where_it_came_from(compiled: Compile) -> None:
    register = arguments(compiled(), "Register")
    assert register["ModelPackageGroupName"] == "bincount-demo"
    assert register["ModelApprovalStatus"] == {"Get": "Parameters.ApprovalStatus"}
    (container,) = register["InferenceSpecification"]["Containers"]
    assert "/bincount-inference:inference-" in container["Image"]
    assert container["ModelDataUrl"] == {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    statistics = register["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics["S3Uri"]["Std:Join"]["Values"][-1] == "evaluation.json"
    baseline = register["DriftCheckBaselines"]["ModelQuality"]["Statistics"]
    assert baseline["S3Uri"]["Std:Join"]["Values"] == [*statistics["S3Uri"]["Std:Join"]["Values"][:-1], "baseline.json"]
    assert register["MetadataProperties"]["CommitId"] == {"Get": "Parameters.CommitId"}


def test_the_version_says_how_it_is_deployed_and_tried(compiled: Compile) -> None:
    register = arguments(compiled("prod", deploy__latency_limit_ms=250), "Register")
    metadata = register["CustomerMetadataProperties"]
    assert {name: value for name, value in metadata.items() if isinstance(value, str)} == {
        "Profile": "prod",
        "StagingInstanceType": "ml.m5.large",
        "InstanceType": "ml.c5.xlarge",
        "InstanceCount": "2",
        "MaxInstanceCount": "4",
        "InvocationsPerInstance": "300",
        "BakeSeconds": "300",
        "LatencyLimitMs": "250",
        "CapturePercent": "5",
    }
    output = "Steps.Evaluate.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"
    assert metadata["SmokeTest"] == {"Std:Join": {"On": "/", "Values": [{"Get": output}, "smoke.json"]}}
    for name in ("MinMacroF1", "MinImprovement"):
        assert metadata[name] == {"Std:Join": {"On": "", "Values": [{"Get": f"Parameters.{name}"}]}}
    path = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"}, "Path": "model.provenance.data"}
    assert metadata["DataHash"] == {"Std:JsonGet": path}
    types = register["InferenceSpecification"]["SupportedRealtimeInferenceInstanceTypes"]
    assert types == ["ml.c5.xlarge", "ml.m5.large"]


def test_deploy_is_told_the_version_and_no_more(compiled: Compile) -> None:
    deploy = steps(compiled())["Deploy"]
    assert (deploy["Type"], deploy["FunctionArn"]) == ("Lambda", f"{FUNCTION}-deploy")
    assert deploy["Arguments"] == {
        "Stage": "staging",
        "ModelPackageArn": {"Get": "Steps.Register.ModelPackageArn"},
        "PipelineExecutionArn": {"Get": "Execution.PipelineExecutionArn"},
    }
    assert deploy["OutputParameters"] == [{"OutputName": "EndpointName", "OutputType": "String"}]
