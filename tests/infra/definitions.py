"""What the service does with the roles of an execution, from the definition that it would get.

Which calls a step means is the SageMaker guide's word (pipelines: manage access; execution roles) and what people
found who ran them; nothing of it was run on AWS here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Definition = dict[str, Any]
Needs = dict[str, set[str]]
"""By role (`pipeline`), pairs of action and resource."""
# What lies where in the bucket.
AREAS = ("bincount/executions/*", "bincount/checkpoints/*", "bincount/capture/*", "data/*", "weights/*")
_JOBS = {
    "Processing": ("ProcessingJob", "processing-job/pipelines-*", "processing-job/pipelines-*"),
    "Training": ("TrainingJob", "training-job/pipelines-*", "training-job/*"),
    # 32 characters are too few for the names of other jobs: what begins a tuning job's is not documented.
    "Tuning": ("HyperParameterTuningJob", "hyper-parameter-tuning-job/*", "hyper-parameter-tuning-job/*"),
}
_TRIALS = ("DescribeTrainingJob", "StopTrainingJob", "AddTags")
_LOG = ("CreateLogGroup", "CreateLogStream", "PutLogEvents", "DescribeLogStreams")


def of_definition(definition: Definition) -> Needs:
    """Return what the pipeline's role and those of its jobs need for an execution."""
    return _Execution(definition).needs


def container(role: str, log: str, repository: str, needs: Needs) -> None:
    """Add what the service does for any container with its role: pull the image, write logs and metrics."""
    actions = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
    found = needs.setdefault(role, set())
    found |= {f"ecr:{action} repository/{repository}" for action in actions} | {"ecr:GetAuthorizationToken *"}
    found |= {f"logs:{action} log-group:{log}" for action in _LOG} | {"cloudwatch:PutMetricData *"}


class _Execution:
    def __init__(self, definition: Definition) -> None:
        self._parameters = {one["Name"]: one.get("DefaultValue", "") for one in definition["Parameters"]}
        self._steps = {step["Name"]: step for step in _flat(definition["Steps"])}
        self.needs: Needs = {}
        for step in self._steps.values():
            self._add(step)

    def _need(self, role: str, *pairs: str) -> None:
        self.needs.setdefault(role, set()).update(pairs)

    def _add(self, step: dict[str, Any]) -> None:
        kind, request = step["Type"], step.get("Arguments", {})
        for file in _json_gets(step):
            self._need("pipeline", f"s3:GetObject {self._area(self._property_file(file))}")
        if kind in _JOBS:
            self._job(kind, request)
        elif kind == "Lambda":
            self._need("pipeline", f"lambda:InvokeFunction {step['FunctionArn'].split(':', 5)[5]}")
        elif kind == "RegisterModel":
            self._register(request)
        else:
            assert kind in {"Condition", "Fail"}, f"what does a step of type {kind} call?"

    def _register(self, request: dict[str, Any]) -> None:
        group, version = "model-package-group/bincount-*", "model-package/bincount-*"
        self._need("pipeline", *(f"sagemaker:{one} {group}" for one in ("CreateModelPackageGroup", "AddTags")))
        own = ("CreateModelPackage", "DescribeModelPackage", "AddTags")
        self._need("pipeline", *(f"sagemaker:{one} {version}" for one in own))
        for one in request["InferenceSpecification"]["Containers"]:  # the service looks whether they are there
            area = self._area(one["ModelDataUrl"])
            self._need("pipeline", f"s3:GetObject {area}", f"s3:ListBucket {area}")

    def _job(self, kind: str, request: dict[str, Any]) -> None:
        name, made, there = _JOBS[kind]
        self._need("pipeline", f"sagemaker:Create{name} {made}", f"sagemaker:AddTags {there}")
        self._need("pipeline", f"sagemaker:Describe{name} {there}", f"sagemaker:Stop{name} {there}")
        if kind == "Tuning":
            self._need("pipeline", *(f"sagemaker:{one} training-job/*" for one in _TRIALS))
        job = request.get("TrainingJobDefinition", request)
        role = job["RoleArn"].rpartition("/")[2]
        self._need("pipeline", f"iam:PassRole role/{role}")
        kinds = "ProcessingJobs" if kind == "Processing" else "TrainingJobs"
        self._container(role.removeprefix("bincount-"), job, f"/aws/sagemaker/{kinds}*")

    def _container(self, role: str, job: dict[str, Any], log: str) -> None:
        image = (job.get("AppSpecification") or {}).get("ImageUri") or job["AlgorithmSpecification"]["TrainingImage"]
        container(role, log, image.partition("/")[2].partition(":")[0], self.needs)
        read = [one["S3Input"]["S3Uri"] for one in job.get("ProcessingInputs", [])]
        read += [one["DataSource"]["S3DataSource"]["S3Uri"] for one in job.get("InputDataConfig", [])]
        written = [one["S3Output"]["S3Uri"] for one in job.get("ProcessingOutputConfig", {}).get("Outputs", [])]
        written += [job["OutputDataConfig"]["S3OutputPath"]] if "OutputDataConfig" in job else []
        if "CheckpointConfig" in job:
            read.append(job["CheckpointConfig"]["S3Uri"])
            written.append(job["CheckpointConfig"]["S3Uri"])
            # What is removed from the folder is removed from the bucket.
            self._need(role, f"s3:DeleteObject {self._area(job['CheckpointConfig']['S3Uri'])}")
        for area in map(self._area, read):
            self._need(role, f"s3:GetObject {area}", f"s3:ListBucket {area}")
        for area in map(self._area, written):
            self._need(role, f"s3:PutObject {area}")

    def _property_file(self, path: str) -> Any:
        step, file = re.fullmatch(r"Steps\.(.+)\.PropertyFiles\.(.+)", path).groups()  # type: ignore[union-attr]
        named = {one["PropertyFileName"]: one["OutputName"] for one in self._steps[step]["PropertyFiles"]}
        return self._output(step, named[file])

    def _output(self, step: str, name: str) -> Any:
        outputs = self._steps[step]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
        return next(one["S3Output"]["S3Uri"] for one in outputs if one["OutputName"] == name)

    def _area(self, expression: Any) -> str:
        _, _, key = self._text(expression).removeprefix("s3://").partition("/")
        return next(area for area in AREAS if key.startswith(area[:-1]) or f"{key}/" == area[:-1])

    def _text(self, expression: Any) -> str:
        if isinstance(expression, str):
            return expression
        if "Std:Join" in expression:
            return str(expression["Std:Join"]["On"]).join(map(self._text, expression["Std:Join"]["Values"]))
        place = expression["Get"]
        if place.startswith("Parameters."):
            return str(self._parameters[place.partition(".")[2]])
        if found := re.fullmatch(r"Steps\.(\w+)\.ProcessingOutputConfig\.Outputs\['(\w+)'\]\.S3Output\.S3Uri", place):
            return self._text(self._output(*found.groups()))
        if found := re.fullmatch(r"Steps\.(\w+)\.ModelArtifacts\.S3ModelArtifacts", place):
            return self._text(self._steps[found[1]]["Arguments"]["OutputDataConfig"]["S3OutputPath"])
        if found := re.fullmatch(r"Steps\.(\w+)\.TrainingJobDefinition\.OutputDataConfig\.S3OutputPath", place):
            trials = self._steps[found[1]]["Arguments"]["TrainingJobDefinition"]
            return self._text(trials["OutputDataConfig"]["S3OutputPath"])
        if re.fullmatch(r"Steps\.\w+\.TrainingJobSummaries\[\d+\]\.TrainingJobName", place):
            return "trial"
        if found := re.fullmatch(r"Steps\.(\w+)\.OutputParameters\['(\w+)'\]", place):
            return self._text(self._steps[found[1]]["Arguments"][found[2]])  # an earlier one of the same kind
        assert place.startswith("Execution."), place
        return "x"


def _flat(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        if step["Type"] == "Condition":
            yield from _flat([*step["Arguments"]["IfSteps"], *step["Arguments"]["ElseSteps"]])


def _json_gets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(found := node.get("Std:JsonGet"), dict):
            yield found["PropertyFile"]["Get"]
        for name, value in node.items():
            if name not in {"IfSteps", "ElseSteps"}:
                yield from _json_gets(value)
    elif isinstance(node, list):
        for one in node:
            yield from _json_gets(one)
