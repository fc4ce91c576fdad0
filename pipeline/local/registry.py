"""RegisterModel steps: a model package version in the local registry."""

from __future__ import annotations

from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.failures import StepError


def run(context: Context, call: StepCall) -> StepResult:
    """Create the model package, and its group where it is missing, as the service does."""
    from botocore.exceptions import BotoCoreError, ClientError

    from pipeline.local import aws

    context.store.update("step", call.id, StepStatus="Executing")
    client = aws.session(context.home).client("sagemaker")
    group = call.arguments.get("ModelPackageGroupName")
    try:
        if group is not None and context.store.get("model-package-group", group) is None:
            client.create_model_package_group(ModelPackageGroupName=group)
        arn = client.create_model_package(**call.arguments)["ModelPackageArn"]
    except (ClientError, BotoCoreError) as error:
        raise StepError(f"ClientError: {' '.join(str(error).split())}") from None
    context.store.update("step", call.id, Metadata={"RegisterModel": {"Arn": arn}})
    package = context.store.get("model-package", arn)
    return StepResult(package if package is not None else {"ModelPackageArn": arn})
