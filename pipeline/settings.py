"""Everything a user may set before compiling: typed, with units, and profiles of it.

A profile is a TOML file in `pipeline/profiles` that says only what differs from the defaults here, and why. Overrides
come on top, by dotted names: `load_settings("demo", {"tune.trials": 4})`. What a user sets when an execution starts
instead is a pipeline parameter: see `pipeline.definition.parameters`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.errors import UserError, did_you_mean
from pipeline.job_settings import Evaluate, Hyperparameters, Split, Train, Tune
from pipeline.setting_types import FunctionArn, ImageName, InstanceType, Names, Share, Strict

PROJECT = "bincount"
_FOLDER = Path(__file__).parent / "profiles"
PROFILES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


class Aws(Strict):
    """The account. The defaults are those of the local one, where nothing of them is checked."""

    account: str = Field(default="000000000000", pattern=r"^\d{12}$")
    region: str = Field(default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    bucket: str = Field(default="bincount-local", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    pipeline_role: str | None = Field(
        default=None, description="ARN; None: arn:aws:iam::<account>:role/bincount-pipeline"
    )
    processing_role: str | None = Field(default=None, description="ARN of Split's and Evaluate's role")
    training_role: str | None = Field(default=None, description="ARN of the role of trials and of Train")
    volume_kms_key: str | None = Field(
        default=None,
        description="key of the jobs' disks, of those that are EBS volumes: others have a key of their own; "
        "None: the service's own",
    )
    output_kms_key: str | None = Field(default=None, description="key of the jobs' outputs; None: the bucket's own")
    subnets: Names = Field(default=(), description="of the jobs; none: no VPC")
    security_groups: Names = Field(default=(), description="of the jobs, which must let each other in")
    tags: dict[str, str] = Field(default={}, description="put on every job beside `project`, `profile` and `step`")

    @property
    def partition(self) -> str:
        """The first part of the account's ARNs: regions in China and of the US government have their own."""
        return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(self.region.rsplit("-", 2)[0], "aws")

    @model_validator(mode="after")
    def _whole_vpc(self) -> Self:
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError("subnets and security_groups are set together or not at all")
        return self


class Images(Strict):
    """What the images are built on. What they hold changes with it, and their tags do too."""

    base: ImageName | None = Field(default=None, description="with python3 and its venv; None: the Dockerfiles' own")
    training_base: ImageName | None = Field(
        default=None, description="of the training image instead; its PyTorch is used where it has the right one"
    )


class Gate(Strict):
    """What a model must reach to be registered; defaults of pipeline parameters."""

    min_macro_f1: Share = 0.5
    min_improvement: float = Field(default=0.0, ge=-1, le=1, description="over the champion's macro-F1")
    approval_status: Literal["PendingManualApproval", "Approved", "Rejected"] = "PendingManualApproval"


class Deploy(Strict):
    """How a version is deployed: to staging at once, to production when it is approved. Its metadata says it too."""

    function_arn: FunctionArn | None = Field(
        default=None, description="None: arn:aws:lambda:<region>:<account>:function:bincount-deploy"
    )
    champion_function_arn: FunctionArn | None = Field(default=None, description="None: likewise, bincount-champion")
    staging_instance_type: InstanceType = "ml.m5.large"
    instance_type: InstanceType = Field(default="ml.m5.large", description="in production, as are those that follow")
    instance_count: int = Field(default=1, ge=1, le=100, description="2 or more: a canary takes the first requests")
    max_instance_count: int = Field(default=1, ge=1, le=100, description="above instance_count: autoscaling up to it")
    invocations_per_instance: int = Field(
        default=300, ge=1, le=1_000_000, description="a minute; autoscaling keeps each instance at about that"
    )
    bake_seconds: int = Field(default=300, ge=0, le=3600, description="the new version serves, the old one stands by")
    latency_limit_ms: int = Field(default=1000, ge=1, le=60_000, description="of the model; above: alarm and roll-back")
    capture_percent: int = Field(default=0, ge=0, le=100, description="of requests and answers kept in S3; 0: off")

    @model_validator(mode="after")
    def _room_to_scale(self) -> Self:
        if self.max_instance_count < self.instance_count:
            raise ValueError("max_instance_count is at least instance_count")
        return self


class Cost(Strict):
    """What an execution may cost before somebody is asked. Nothing of it is in the definition."""

    ask_above_usd: float = Field(
        default=50.0, ge=0, description="`run --target aws` asks where an execution could cost more than that"
    )


class Settings(Strict):
    """One compiled definition's worth of settings."""

    # `bincount-<profile>-production-v<version>-<8 hexadecimal digits>` names an endpoint config: 63 characters at most.
    profile: str = Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=20)
    aws: Aws = Aws()
    images: Images = Images()
    split: Split = Split()
    hyperparameters: Hyperparameters = Hyperparameters()
    tune: Tune = Tune()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    gate: Gate = Gate()
    deploy: Deploy = Deploy()
    cost: Cost = Cost()
    cache_days: int = Field(default=30, ge=1, le=365, description="age at which a step's cached result is not used")

    @property
    def pipeline_name(self) -> str:
        """One pipeline a profile: their caches and champions have nothing to say to each other."""
        return f"{PROJECT}-{self.profile}"

    @property
    def model_package_group(self) -> str:
        """Where Register puts its versions."""
        return self.pipeline_name

    @property
    def data_uri(self) -> str:
        """Default of the parameter DataUri, without a slash at its end: two in a row are another prefix in S3."""
        return (self.split.data_uri or f"s3://{self.aws.bucket}/data").rstrip("/")

    def role(self, kind: Literal["pipeline", "processing", "training"]) -> str:
        """Return the ARN of the role of a kind of job: each may do no more than its kind needs."""
        given: str | None = getattr(self.aws, f"{kind}_role")
        return given or f"arn:{self.aws.partition}:iam::{self.aws.account}:role/{PROJECT}-{kind}"

    def function(self, name: Literal["deploy", "champion"]) -> str:
        """Return the ARN of a function that the pipeline calls."""
        given = self.deploy.function_arn if name == "deploy" else self.deploy.champion_function_arn
        aws = self.aws
        return given or f"arn:{aws.partition}:lambda:{aws.region}:{aws.account}:function:{PROJECT}-{name}"

    @model_validator(mode="after")
    def _weights_channel(self) -> Self:
        if self.hyperparameters.weights == "channel" and not self.train.weights_uri:
            raise ValueError("hyperparameters.weights = channel needs train.weights_uri")
        return self

    @model_validator(mode="after")
    def _teachers(self) -> Self:
        if self.train.teachers > self.tune.trials:
            raise ValueError(f"train.teachers are trials' models: at most {self.tune.trials}, tune.trials")
        return self


def load_settings(profile: str, overrides: Mapping[str, object] | None = None) -> Settings:
    """Return a profile's settings with overrides on top.

    Args:
        profile: one of PROFILES.
        overrides: by dotted name (`tune.trials`), values as their type or as text.

    Raises:
        UserError: no such profile, no such setting, or a value out of its range.
    """
    if profile not in PROFILES:
        raise UserError(f"no profile {profile!r}{did_you_mean(profile, PROFILES)}; there are: {', '.join(PROFILES)}")
    tree: dict[str, Any] = tomllib.loads((_FOLDER / f"{profile}.toml").read_text(encoding="utf-8"))
    tree["profile"] = profile
    for name, value in (overrides or {}).items():
        _put(tree, name, value)
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        raise UserError(f"settings of {profile}: {'; '.join(_lines(error))}") from None


def _put(tree: dict[str, Any], name: str, value: object) -> None:
    *path, last = name.split(".")
    for key in path:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise UserError(f"no setting {name!r}: {key} holds no others{did_you_mean(name, _names(Settings))}")
    tree[last] = value


def _lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            yield f"no setting {name!r}{did_you_mean(name, _names(Settings))}"
        else:
            yield " ".join(f"{name or 'all'}: {fault['msg'].removeprefix('Value error, ')}".split())


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name}.")
        else:
            yield prefix + name
