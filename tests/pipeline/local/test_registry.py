from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build


def register(**more: Any) -> dict[str, Any]:
    container = {
        "Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1",
        "ModelDataUrl": "s3://bucket/model.tar.gz",
    }
    request = {
        "ModelPackageGroupName": "counts",
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        **more,
    }
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": request}


def test_versions_are_added_to_a_group_that_is_made_when_missing(account: Account, build: Build) -> None:
    account.s3.put_bytes("s3://bucket/model.tar.gz", b"")
    fail = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.Register.ModelPackageArn"}}}
    for version in (1, 2):
        arn = account.run(build.pipeline(register(), fail))
        package = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/counts/{version}"
        assert account.steps(arn)["Register"]["Metadata"] == {"RegisterModel": {"Arn": package}}
        assert account.execution(arn)["FailureReason"] == f"Step F failed: {package}"
    assert len(account.store.find("model-package-group")) == 1


def test_what_the_registry_refuses_is_one_clear_line(account: Account, build: Build) -> None:
    arn = account.run(build.pipeline(register(ModelApprovalStatus="Perhaps")))
    reason = account.execution(arn)["FailureReason"]
    assert reason.startswith("Step Register failed: ClientError: ")
    assert "\n" not in reason
