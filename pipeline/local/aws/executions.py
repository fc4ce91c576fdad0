"""SageMaker: executions of a pipeline, started, stopped, taken up again, described."""

from __future__ import annotations

import random
import string
from typing import Any

from pipeline.local.aws.account import Account, arn
from pipeline.local.aws.answers import Answer, Request, invalid, members, not_found, operation, public, refuse
from pipeline.local.aws.definitions import parameter_values
from pipeline.local.aws.launch import engine_lives, engine_log
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.pipelines import find_pipeline, find_version
from pipeline.local.store import Transaction

# Between the record of an execution and that of its engine's process lie milliseconds.
_START_SECONDS = 60
_DONE = ("Succeeded", "Failed", "Stopped")


def find_execution(account: Account, execution_arn: str) -> dict[str, Any]:
    """Return the execution's document, settled if its engine has died. Raises ResourceNotFound."""
    found = account.store.get("execution", execution_arn)
    if found is None:
        raise not_found(f"Pipeline execution '{execution_arn}' does not exist.")
    return _settled(account, found)


def _settled(account: Account, execution: dict[str, Any]) -> dict[str, Any]:
    """Give an execution whose engine's process is gone the end that the engine could not write."""
    if _has_engine(account, execution):
        return execution
    execution_arn = execution["PipelineExecutionArn"]
    with account.store.transaction() as transaction:
        now = transaction.get("execution", execution_arn)
        if now is None or _has_engine(account, now):  # the engine ended it in the meantime
            return now or execution
        short, log = execution_arn.rpartition("/")[2], engine_log(account.home, execution_arn)
        if now["PipelineExecutionStatus"] == "Stopping":
            status, reason = "Stopped", "The engine's process ended before it had stopped every step"
        else:
            status, reason = (
                "Failed",
                f"The engine's process is gone: `bincount resume {short}` continues (its output: {log})",
            )
        _settle_steps(transaction, execution_arn, status, account.now())
        changes = {"PipelineExecutionStatus": status, "FailureReason": reason, "_engine_pid": None}
        return transaction.update("execution", execution_arn, **changes, LastModifiedTime=account.now())


def _settle_steps(transaction: Transaction, execution_arn: str, status: str, now: float) -> None:
    for step in transaction.find("step", execution_arn):
        if step.get("StepStatus") not in _DONE:
            changes = {"StepStatus": status, "FailureReason": "The engine's process is gone", "EndTime": now}
            transaction.update("step", f"{execution_arn}/{step['StepName']}", **changes)


def _has_engine(account: Account, execution: Document) -> bool:
    """Say whether nothing need be done: the execution has ended, or its engine lives."""
    if execution["PipelineExecutionStatus"] in _DONE:
        return True
    pid, changed = execution.get("_engine_pid"), execution["LastModifiedTime"]
    if pid is None:
        return bool(account.now() - changed < _START_SECONDS)
    return engine_lives(pid, execution["PipelineExecutionArn"], changed)


@operation("sagemaker", "StartPipelineExecution")
def start_pipeline_execution(account: Account, request: Request) -> Answer:
    """Record an execution and start its engine; the same token twice starts one."""
    refuse(request, "SelectiveExecutionConfig", "PipelineVersionAlias", "MlflowExperimentName")
    pipeline = find_version(account, request)
    parameters = parameter_values(pipeline["PipelineDefinition"], request.get("PipelineParameters", []))
    document = _new_execution(account, pipeline, request) | {"_parameters": parameters}
    execution_arn, name = document["PipelineExecutionArn"], pipeline["PipelineName"]
    with account.store.transaction() as transaction:
        for other in transaction.find("execution", name):
            if other.get("_token") == request["ClientRequestToken"]:
                return {"PipelineExecutionArn": other["PipelineExecutionArn"]}
        transaction.create("execution", execution_arn, document, parent=name)
        transaction.update("pipeline", name, LastRunTime=document["CreationTime"])
    _launch(account, execution_arn)
    return {"PipelineExecutionArn": execution_arn}


def _new_execution(account: Account, pipeline: Document, request: Request) -> dict[str, Any]:
    short = "".join(random.choices(string.ascii_lowercase + string.digits, k=12))  # noqa: S311 - a name, no secret
    now = account.now()
    return {
        **members(pipeline, "PipelineArn", "RoleArn", "ParallelismConfiguration"),
        **members(request, "RoleArn", "ParallelismConfiguration", "PipelineExecutionDescription"),
        "PipelineExecutionArn": arn("pipeline", f"{pipeline['PipelineName']}/execution/{short}"),
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{int(now * 1000)}"),
        "PipelineExecutionStatus": "Executing",
        "PipelineVersionId": pipeline.get("_version", 1),
        "CreationTime": now,
        "LastModifiedTime": now,
        "_definition": pipeline["PipelineDefinition"],
        "_engine_pid": None,
        "_containers": account.containers,
        "_token": request["ClientRequestToken"],
    }


def _launch(account: Account, execution_arn: str) -> None:
    try:
        changes: dict[str, Any] = {"_engine_pid": account.launch(account.home, execution_arn)}
    except OSError as error:
        reason = f"The engine cannot be started: {error}"
        changes = {"PipelineExecutionStatus": "Failed", "FailureReason": reason}
    account.store.update("execution", execution_arn, **changes, LastModifiedTime=account.now())


@operation("sagemaker", "RetryPipelineExecution")
def retry_pipeline_execution(account: Account, request: Request) -> Answer:
    """Start the engine again on an execution that failed or was stopped: it goes on where that ended."""
    execution_arn, token = request["PipelineExecutionArn"], request["ClientRequestToken"]
    find_execution(account, execution_arn)
    with account.store.transaction() as transaction:
        execution = transaction.get("execution", execution_arn) or {}
        if execution.get("_retry_token") == token:
            return {"PipelineExecutionArn": execution_arn}
        status = execution.get("PipelineExecutionStatus")
        if status not in {"Failed", "Stopped"}:
            raise invalid(f"Only a Failed or Stopped execution can be retried; {execution_arn} is {status}")
        changes = {"PipelineExecutionStatus": "Executing", "FailureReason": None, "_engine_pid": None}
        changes |= members(request, "ParallelismConfiguration") | {"LastModifiedTime": account.now()}
        transaction.update("execution", execution_arn, **changes, _retry_token=token)
    _launch(account, execution_arn)
    return {"PipelineExecutionArn": execution_arn}


@operation("sagemaker", "StopPipelineExecution")
def stop_pipeline_execution(account: Account, request: Request) -> Answer:
    """Ask the engine to stop; asking again while it does is no error."""
    execution_arn = request["PipelineExecutionArn"]
    find_execution(account, execution_arn)
    with account.store.transaction() as transaction:
        execution = transaction.get("execution", execution_arn) or {}
        status = execution.get("PipelineExecutionStatus")
        if status in _DONE:
            raise invalid(f"Only an Executing execution can be stopped; {execution_arn} is {status}")
        changes = {"PipelineExecutionStatus": "Stopping", "LastModifiedTime": account.now()}
        transaction.update("execution", execution_arn, **changes)
    return {"PipelineExecutionArn": execution_arn}


@operation("sagemaker", "DescribePipelineExecution")
def describe_pipeline_execution(account: Account, request: Request) -> Answer:
    """Answer the execution; one whose engine died says so in its FailureReason."""
    return public(find_execution(account, request["PipelineExecutionArn"]))


@operation("sagemaker", "DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(account: Account, request: Request) -> Answer:
    """Answer the definition that the execution started with."""
    execution = find_execution(account, request["PipelineExecutionArn"])
    return {"PipelineDefinition": execution["_definition"], "CreationTime": execution["CreationTime"]}


@operation("sagemaker", "ListPipelineParametersForExecution")
def list_pipeline_parameters_for_execution(account: Account, request: Request) -> Answer:
    """Answer every parameter's value, defaults included."""
    execution = find_execution(account, request["PipelineExecutionArn"])
    values = [{"Name": name, "Value": value} for name, value in execution.get("_parameters", {}).items()]
    return page(values, request, "PipelineParameters", "Name", dict)


@operation("sagemaker", "ListPipelineExecutions")
def list_pipeline_executions(account: Account, request: Request) -> Answer:
    """Answer a pipeline's executions, newest first unless asked otherwise."""
    refuse(request, "PipelineVersionAlias")
    name = find_pipeline(account, request["PipelineName"])["PipelineName"]
    listed = [
        _settled(account, document)
        for document in account.store.find("execution", name)
        if within(document, request, "CreatedAfter", "CreatedBefore")
    ]
    by = {"CreationTime": "CreationTime", "PipelineExecutionArn": "PipelineExecutionArn"}
    in_order = ordered(listed, request, by, "Descending")
    return page(in_order, request, "PipelineExecutionSummaries", "PipelineExecutionArn", _summary)


def _summary(document: Document) -> Answer:
    shown = ("PipelineExecutionArn", "PipelineExecutionStatus", "PipelineExecutionDisplayName")
    summary = members(document, *shown, "PipelineExecutionDescription") | {"StartTime": document["CreationTime"]}
    reason = document.get("FailureReason")
    return summary | ({"PipelineExecutionFailureReason": reason} if reason else {})
