"""SageMaker: the steps of an execution."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Answer, Request, invalid, operation, public
from pipeline.local.aws.executions import find_execution
from pipeline.local.aws.paging import page


@operation("sagemaker", "ListPipelineExecutionSteps")
def list_pipeline_execution_steps(account: Account, request: Request) -> Answer:
    """Answer the steps that have started, the latest first unless asked otherwise."""
    execution_arn = request.get("PipelineExecutionArn")
    if execution_arn is None:
        raise invalid("PipelineExecutionArn must be given")
    find_execution(account, execution_arn)
    steps: list[dict[str, Any]] = [
        step for step in account.store.find("step", execution_arn) if step.get("StepStatus") is not None
    ]
    steps.sort(key=lambda step: step.get("StartTime") or 0.0)
    if request.get("SortOrder", "Descending") == "Descending":
        steps.reverse()
    return page(steps, request, "PipelineExecutionSteps", "StepName", public)
