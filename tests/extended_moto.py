"""moto's SageMaker with what it lacks or gets wrong mended, as the service documents it.

Mended: UpdateEndpoint and DeleteModelPackage exist; UpdateModelPackage changes only what it is given; creating what is
there already is refused; a model of an unapproved package is refused; ListModels pages and filters; network isolation
is kept; every instance type is accepted; a tag set twice is one tag; endpoints pass through their states when a test
asks for it; several threads can ask at once. Pipelines and their executions: tests/moto_pipelines.py; functions:
tests/moto_functions.py; stacks: tests/moto_stacks.py.
"""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import routing
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import (
    FakeEndpoint,
    FakeEndpointConfig,
    ModelPackage,
    SageMakerModelBackend,
    sagemaker_backends,
)
from moto.sagemaker.responses import SageMakerResponse

from tests.moto_functions import extend_functions
from tests.moto_pipelines import extend_pipelines
from tests.moto_stacks import extend_stacks

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUSY = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


def _backends() -> list[Any]:
    """Return what keeps the state of an account."""
    all_backends = (sagemaker_backends, cloudwatch_backends, applicationautoscaling_backends)
    return [backends[ACCOUNT][REGION] for backends in all_backends]


class Endpoints:
    """The states of moto's endpoints. With `hold`, a change stays under way until `finish` or `fail`."""

    def __init__(self) -> None:
        self.hold = False
        self.requests: list[dict[str, Any]] = []  # of CreateEndpoint and UpdateEndpoint, as they arrived
        self._pending: dict[str, str] = {}
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def state(self, name: str, status: str, reason: str | None = None) -> None:
        """Put an endpoint into any state."""
        endpoint = self._known[name]
        endpoint.endpoint_status, endpoint.failure_reason = status, reason

    def save(self) -> Any:
        """Return a copy of all that moto keeps of SageMaker, CloudWatch and autoscaling."""
        states = [backend.__dict__ for backend in _backends()]
        return copy.deepcopy((states, self._known, self._pending, self.requests))

    def restore(self, saved: Any) -> None:
        """Bring back what `save` returned."""
        states, self._known, self._pending, self.requests = copy.deepcopy(saved)
        for backend, state in zip(_backends(), states, strict=True):
            backend.__dict__.update(state)

    def config_under_way(self, name: str) -> str:
        """Return the config that an endpoint is on its way to, or has."""
        return str(self._pending.get(name, self._known[name].endpoint_config_name))

    def finish(self, name: str) -> None:
        """Let the change that is under way succeed."""
        endpoint = self._known[name]
        if endpoint.endpoint_status == "Deleting":
            self._remove(name)
            return
        endpoint.endpoint_config_name = self._pending.pop(name, endpoint.endpoint_config_name)
        self.state(name, "InService")

    def fail(self, name: str, reason: str = "The container did not pass the ping health check.") -> None:
        """Let the change fail: a new endpoint is Failed, an updated one is back on its old config."""
        created = self._known[name].endpoint_status == "Creating"
        self._pending.pop(name, None)
        self.state(name, "Failed" if created else "InService", reason)

    def created(self, backend: SageMakerModelBackend, endpoint: Any) -> None:
        self._known[endpoint.endpoint_name] = endpoint
        self._backend = backend
        endpoint.endpoint_status = "Creating" if self.hold else "InService"

    def updated(self, endpoint: Any, config: str) -> None:
        if endpoint.endpoint_status in BUSY:
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if endpoint.endpoint_status == "Failed":
            raise ValidationError(f'Cannot update endpoint "{endpoint.arn}" in Failed state.')
        endpoint.failure_reason = None
        self._pending[endpoint.endpoint_name] = config
        endpoint.endpoint_status = "Updating"
        if not self.hold:
            self.finish(endpoint.endpoint_name)

    def deleted(self, endpoint: Any) -> None:
        if endpoint.endpoint_status in BUSY:
            raise ValidationError(f'Cannot update in-progress endpoint "{endpoint.arn}".')
        endpoint.endpoint_status = "Deleting"
        if not self.hold:
            self._remove(endpoint.endpoint_name)

    def _remove(self, name: str) -> None:
        del self._known[name]
        del self._backend.endpoints[name]


def _add_tags(self: Any, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    resource = self._get_resource_from_arn(arn)
    merged = {one["Key"]: one["Value"] for one in [*resource.tags, *tags]}
    resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
    return list(resource.tags)


def extend(monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    """Mend moto for the length of a test and return the switch of its endpoints' states."""
    endpoints = Endpoints()
    _extend_endpoints(monkeypatch, endpoints)
    _extend_models(monkeypatch)
    _extend_packages(monkeypatch)
    extend_pipelines(monkeypatch)
    extend_functions(monkeypatch)
    extend_stacks(monkeypatch)
    _extend_routing(monkeypatch)
    monkeypatch.setattr(SageMakerModelBackend, "add_tags", _add_tags)
    return endpoints


def _extend_routing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one thread at a time build routes: CPython 3.11 sometimes fails where two parse at once (gh-106905)."""
    lock, create = threading.Lock(), routing._create_map

    def create_map(rules: list[Any]) -> Any:
        with lock:
            return create(rules)

    monkeypatch.setattr(routing, "_create_map", create_map)


def _extend_endpoints(monkeypatch: pytest.MonkeyPatch, endpoints: Endpoints) -> None:
    lock = threading.RLock()
    create, create_config = SageMakerModelBackend.create_endpoint, SageMakerModelBackend.create_endpoint_config

    def create_endpoint(self: Any, endpoint_name: str, endpoint_config_name: str, tags: Any) -> Any:
        with lock:
            if endpoint_name in self.endpoints:
                arn = self.endpoints[endpoint_name].arn
                raise ValidationError(f'Cannot create already existing endpoint "{arn}".')
            made = create(self, endpoint_name, endpoint_config_name, tags)
            endpoints.created(self, made)
            endpoints.requests.append({"EndpointName": endpoint_name, "EndpointConfigName": endpoint_config_name})
            return made

    def update_endpoint(self: Any) -> ActionResult:
        name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
        with lock:
            backend = self.sagemaker_backend
            backend.describe_endpoint(name)
            backend.describe_endpoint_config(config)
            endpoints.updated(backend.endpoints[name], config)
            endpoints.requests.append(dict(self.params))
            return ActionResult({"EndpointArn": backend.describe_endpoint(name)["EndpointArn"]})

    def delete_endpoint(self: Any, endpoint_name: str) -> None:
        with lock:
            self.describe_endpoint(endpoint_name)
            endpoints.deleted(self.endpoints[endpoint_name])

    def create_endpoint_config(self: Any, endpoint_config_name: str, **members: Any) -> Any:
        with lock:
            if endpoint_config_name in self.endpoint_configs:
                arn = self.endpoint_configs[endpoint_config_name].endpoint_config_arn
                raise ValidationError(f'Cannot create already existing endpoint configuration "{arn}".')
            return create_config(self, endpoint_config_name, **members)

    monkeypatch.setattr(SageMakerModelBackend, "create_endpoint", create_endpoint)
    monkeypatch.setattr(SageMakerModelBackend, "delete_endpoint", delete_endpoint)
    monkeypatch.setattr(SageMakerModelBackend, "create_endpoint_config", create_endpoint_config)
    monkeypatch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
    monkeypatch.setattr(FakeEndpointConfig, "validate_instance_type", lambda *_: None)
    response = FakeEndpoint.response_object.fget

    def described(self: Any) -> dict[str, Any]:
        document: dict[str, Any] = response(self)
        return document if document.get("DataCaptureConfig") else document | {"DataCaptureConfig": None}

    monkeypatch.setattr(FakeEndpoint, "response_object", property(described))


def _extend_models(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.RLock()
    create = SageMakerModelBackend.create_model

    def create_model(self: Any, model_name: str, **members: Any) -> Any:
        package = (members.get("primary_container") or {}).get("ModelPackageName")
        with lock:
            if model_name in self._models:
                raise ValidationError(f'Cannot create already existing model "{self._models[model_name].arn}".')
            if package and self.describe_model_package(package).model_approval_status != "Approved":
                raise ValidationError(f"Model package {package} must be Approved to create a model.")
            return create(self, model_name, **members)

    def create_model_response(self: Any) -> ActionResult:
        members = {"vpc_config": "VpcConfig", "containers": "Containers", "tags": "Tags"}
        members |= {"execution_role_arn": "ExecutionRoleArn", "primary_container": "PrimaryContainer"}
        values = {name: self._get_param(member) for name, member in members.items()}
        made = self.sagemaker_backend.create_model(model_name=self._get_param("ModelName"), **values)
        made.enable_network_isolation = bool(self._get_param("EnableNetworkIsolation"))
        return ActionResult(made.response_create)

    def list_models(self: Any) -> ActionResult:
        text = self._get_param("NameContains") or ""
        found = [model.response_object for model in self.sagemaker_backend.list_models() if text in model.model_name]
        return ActionResult({"Models": sorted(found, key=lambda model: str(model["CreationTime"]), reverse=True)})

    monkeypatch.setattr(SageMakerModelBackend, "create_model", create_model)
    monkeypatch.setattr(SageMakerResponse, "create_model", create_model_response)
    monkeypatch.setattr(SageMakerResponse, "list_models", list_models)


def _extend_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    create = SageMakerModelBackend.create_model_package

    def create_model_package(self: Any, **members: Any) -> Any:
        arn = create(self, **members)
        group = members.get("model_package_group_name")
        if group is None:
            return arn
        # The number of a deleted version is not given again; moto counts those that are left.
        package = self.model_packages.pop(arn)
        kept = self.model_package_groups[group]
        kept.last_version = max(getattr(kept, "last_version", 0) + 1, package.model_package_version)
        package.model_package_version = kept.last_version
        package.arn = f"{arn.rpartition('/')[0]}/{kept.last_version}"
        self.model_packages[package.arn] = self.model_packages.pop(arn, package)
        self.model_package_name_mapping[package.arn] = package.arn
        return package.arn

    monkeypatch.setattr(SageMakerModelBackend, "create_model_package", create_model_package)
    for operation in (_update_model_package, _delete_model_package, _delete_model_package_group):
        monkeypatch.setattr(SageMakerResponse, operation.__name__.removeprefix("_"), operation, raising=False)


def _update_model_package(self: Any) -> ActionResult:
    package: ModelPackage = self.sagemaker_backend.describe_model_package(self._get_param("ModelPackageArn"))
    if (approval := self._get_param("ModelApprovalStatus")) is not None:
        package.set_model_approval_status(approval)
    if (description := self._get_param("ApprovalDescription")) is not None:
        package.approval_description = description
    metadata = {
        **(package.customer_metadata_properties or {}),
        **(self._get_param("CustomerMetadataProperties") or {}),
    }
    for key in self._get_param("CustomerMetadataPropertiesToRemove") or []:
        metadata.pop(key, None)
    package.customer_metadata_properties = metadata
    package.modifications_done()
    return ActionResult({"ModelPackageArn": package.arn})


def _delete_model_package(self: Any) -> EmptyResult:
    package = self.sagemaker_backend.describe_model_package(self._get_param("ModelPackageName"))
    del self.sagemaker_backend.model_packages[package.arn]
    return EmptyResult()


def _delete_model_package_group(self: Any) -> EmptyResult:
    name = self._get_param("ModelPackageGroupName")
    backend = self.sagemaker_backend
    backend.describe_model_package_group(name)
    if any(one.model_package_group_name == name for one in backend.model_packages.values()):
        raise ValidationError(f"Model package group {name} still holds versions.")
    del backend.model_package_groups[name]
    return EmptyResult()
