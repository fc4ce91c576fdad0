"""moto's CloudFormation with what it lacks, as the service documents it.

Mended: what `AWS::NoValue` stands for is left out of lists; resources of kinds that moto lacks are there by name, and
model package groups really; a change set of a stack that has none but such is of that stack; one that was executed
makes the others of its stack obsolete; outputs of a stack that a change set made; termination protection; a stack of
which something cannot be created or deleted is ROLLBACK_COMPLETE or DELETE_FAILED, with an event that says why.
"""

from __future__ import annotations

from typing import Any

import pytest
from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.iam.models import ManagedPolicy, iam_backends
from moto.sagemaker.models import sagemaker_backends

GROUP = "AWS::SageMaker::ModelPackageGroup"


class InvalidChangeSetStatusError(CloudFormationError):  # type: ignore[misc]
    code = "InvalidChangeSetStatus"


class Stub:
    """A resource of a kind that moto lacks."""

    def __init__(self, logical_id: str, kind: str, physical_id: str) -> None:
        self.logical_resource_id, self.type, self.physical_resource_id = logical_id, kind, physical_id
        self.cf_resource_type = kind  # as listings of resources have it

    def get_cfn_attribute(self, name: str) -> str:
        return f"https://{self.physical_resource_id}.example" if name == "ApiEndpoint" else self.physical_resource_id

    def is_created(self) -> bool:
        return True

    def delete(self, account: str, region: str) -> None:
        if self.type != GROUP:
            return
        backend = sagemaker_backends[account][region]
        if any(one.model_package_group_name == self.physical_resource_id for one in backend.model_packages.values()):
            raise ValidationError(message=f"Model package group {self.physical_resource_id} still holds versions.")
        backend.model_package_groups.pop(self.physical_resource_id, None)


def extend_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend moto for the length of a test."""
    _extend_resources(monkeypatch)
    _extend_change_sets(monkeypatch)
    _extend_protection(monkeypatch)


def _extend_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, create = parsing.clean_json, parsing.parse_and_create_resource

    def clean_json(document: Any, resources: Any) -> Any:
        cleaned = clean(document, resources)
        return [one for one in cleaned if one is not None] if isinstance(cleaned, list) else cleaned

    def create_resource(name: str, document: Any, resources: Any, account_id: str, region_name: str) -> Any:
        kind = document["Type"]
        if kind in parsing.get_model_map():
            return create(name, document, resources, account_id, region_name)
        condition = document.get("Condition")
        if condition and not resources.lazy_condition_map[condition]:
            return None
        parsing.resource_class_from_type(kind)  # says that moto does not know it
        given = clean_json(document.get("Properties", {}), resources)
        physical = next((given[key] for key in ("ModelPackageGroupName", "AlarmName") if key in given), name.lower())
        if kind == GROUP:
            sagemaker_backends[account_id][region_name].create_model_package_group(physical, "", [])
        return Stub(name, kind, physical)

    def update_resource(name: str, document: Any, resources: Any, account_id: str, region_name: str) -> Any:
        # Updating several kinds fails in moto; nothing here depends on what a change does to a resource.
        return resources._parsed_resources.get(name)

    def delete_policy(self: Any, account_id: str, region_name: str) -> None:
        iam_backends[account_id]["aws"].managed_policies.pop(self.arn, None)

    monkeypatch.setattr(ManagedPolicy, "delete", delete_policy, raising=False)
    monkeypatch.setattr(parsing, "parse_and_update_resource", update_resource)
    monkeypatch.setattr(parsing, "clean_json", clean_json)
    monkeypatch.setattr(parsing, "parse_and_create_resource", create_resource)


def _extend_change_sets(monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: C901 - three operations
    backend = models.CloudFormationBackend
    create, execute = backend.create_change_set, backend.execute_change_set

    def create_change_set(self: Any, stack_name: str, change_set_type: str, **members: Any) -> tuple[str, str]:
        there = [one for one in self.stacks.values() if one.name == stack_name]
        if change_set_type == "CREATE" and there and there[0].status != "REVIEW_IN_PROGRESS":
            raise ValidationError(message=f"Stack [{stack_name}] already exists and cannot be created again.")
        members["parameters"] = {name: _text(value) for name, value in members["parameters"].items()}
        made, stack_id = create(self, stack_name=stack_name, change_set_type=change_set_type, **members)
        if change_set_type == "CREATE" and there:
            self.stacks.pop(stack_id)
            stack_id, self.change_sets[made].stack_id = there[0].stack_id, there[0].stack_id
            self.change_sets[made].stack = there[0]
        if change_set_type == "UPDATE" and _same(there[0], members["template"], members["parameters"]):
            one = self.change_sets[made]
            one.status, one.execution_status = "FAILED", "UNAVAILABLE"
            one.status_reason = "The submitted information didn't contain changes. Submit different information."
        return made, stack_id

    def execute_change_set(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        one = self.describe_change_set(change_set_name)
        if one.execution_status != "AVAILABLE":
            raise InvalidChangeSetStatusError(f"ChangeSet [{change_set_name}] cannot be executed in its status")
        stack = self.stacks[one.stack_id]
        for other in self.change_sets.values():
            if other.stack_id == stack.stack_id:
                other.execution_status = "OBSOLETE"
        first = one.change_set_type == "CREATE"
        try:
            execute(self, change_set_name, stack_name)
        except Exception as error:
            _fail(stack, "CREATE_FAILED" if first else "UPDATE_FAILED", str(error))
            stack.status = "ROLLBACK_COMPLETE" if first else "UPDATE_ROLLBACK_COMPLETE"
            return
        stack._parse_template()
        stack.parameters = one.parameters
        stack.output_map = stack._create_output_map()

    def list_change_sets(self: Any) -> ActionResult:
        found = self.cloudformation_backend.list_change_sets()
        listed = [one for one in found if self._get_param("StackName") in {one.stack_name, one.stack_id}]
        return ActionResult({"Summaries": listed})

    monkeypatch.setattr(CloudFormationResponse, "_validate_different_update", lambda *_: None)
    monkeypatch.setattr(backend, "create_change_set", create_change_set)
    monkeypatch.setattr(backend, "execute_change_set", execute_change_set)
    monkeypatch.setattr(CloudFormationResponse, "list_change_sets", list_change_sets)


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _same(stack: Any, template: str, parameters: dict[str, str]) -> bool:
    held = {name: _text(value) for name, value in stack.stack_parameters.items()}
    return bool(stack.has_template(template) and all(held[name] == value for name, value in parameters.items()))


def _extend_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = models.CloudFormationBackend

    def update_termination_protection(self: Any) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    def delete_stack(self: Any, name_or_stack_id: str) -> None:
        wanted = [one for one in self.stacks.values() if name_or_stack_id in {one.name, one.stack_id}]
        for stack in wanted:
            if stack.enable_termination_protection:
                raise ValidationError(
                    message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is on"
                )
            try:
                stack.delete()
            except Exception as error:
                _fail(stack, "DELETE_FAILED", str(error))
                stack.status = "DELETE_FAILED"
                return
            self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)
            for arn in [arn for arn, one in self.change_sets.items() if one.stack_id == stack.stack_id]:
                del self.change_sets[arn]

    monkeypatch.setattr(
        CloudFormationResponse, "update_termination_protection", update_termination_protection, raising=False
    )
    monkeypatch.setattr(backend, "delete_stack", delete_stack)


def _fail(stack: Any, status: str, reason: str) -> None:
    stack.events.append(
        models.Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id="Something",
            physical_resource_id="something",
            resource_type="AWS::S3::Bucket",
            resource_status=status,
            resource_status_reason=reason,
            resource_properties=None,
        )
    )
