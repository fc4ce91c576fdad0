"""SageMaker: pipelines."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account, arn, name_of
from pipeline.local.aws.answers import (
    Answer,
    Request,
    ServiceError,
    invalid,
    members,
    not_found,
    operation,
    public,
    refuse,
)
from pipeline.local.aws.definitions import definition_text
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.store import AlreadyExistsError, Transaction

_VERSION = "pipeline-version"
_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def find_pipeline(account: Account, name_or_arn: str) -> dict[str, Any]:
    """Return the pipeline's document. Raises ResourceNotFound."""
    name = name_of(name_or_arn, "pipeline")
    found = account.store.get("pipeline", name)
    if found is None:
        raise not_found(f"Pipeline '{arn('pipeline', name)}' does not exist.")
    return found


def find_version(account: Account, request: Request) -> dict[str, Any]:
    """Return the pipeline's document as it was in the version that the request names, or as it is. Raises as above."""
    document = find_pipeline(account, request["PipelineName"])
    number = request.get("PipelineVersionId")
    if number is None:
        return document
    kept = account.store.get(_VERSION, f"{document['PipelineName']}/{number}")
    if kept is None:
        raise not_found(f"Version {number} of pipeline '{document['PipelineArn']}' does not exist.")
    return document | kept


def _keep_version(transaction: Transaction, document: Document) -> None:
    """Keep what an execution of this version needs, whatever becomes of the pipeline."""
    name, number = document["PipelineName"], document["_version"]
    kept = members(document, *_KEPT, "PipelineDefinition", "_version") | {"_made": document["LastModifiedTime"]}
    transaction.create(_VERSION, f"{name}/{number}", kept, parent=name)


@operation("sagemaker", "CreatePipeline")
def create_pipeline(account: Account, request: Request) -> Answer:
    """Keep a pipeline whose definition holds; the same token twice creates one."""
    refuse(request, "PipelineVersionAliases")
    name, token = request["PipelineName"], request["ClientRequestToken"]
    text = definition_text(account, request)
    if text is None:
        raise invalid("PipelineDefinition or PipelineDefinitionS3Location must be given")
    now = account.now()
    document = {
        "PipelineDisplayName": name,
        **members(request, *_KEPT),
        "PipelineName": name,
        "PipelineArn": arn("pipeline", name),
        "PipelineDefinition": text,
        "PipelineStatus": "Active",
        "CreationTime": now,
        "LastModifiedTime": now,
        "_token": token,
        "_version": 1,
    }
    try:
        with account.store.transaction() as transaction:
            transaction.create("pipeline", name, document)
            _keep_version(transaction, document)
    except AlreadyExistsError:
        if find_pipeline(account, name).get("_token") != token:
            raise invalid(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            ) from None
    put_tags(account, document["PipelineArn"], request.get("Tags", []))
    return {"PipelineArn": document["PipelineArn"]}


@operation("sagemaker", "UpdatePipeline")
def update_pipeline(account: Account, request: Request) -> Answer:
    """Change what the request names; running executions keep the definition they started with."""
    refuse(request, "PipelineVersionAliases")
    text = definition_text(account, request)
    changes = members(request, *_KEPT) | ({} if text is None else {"PipelineDefinition": text})
    with account.store.transaction() as transaction:
        found = transaction.get("pipeline", request["PipelineName"])
        if found is None:
            raise not_found(f"Pipeline '{arn('pipeline', request['PipelineName'])}' does not exist.")
        version = found.get("_version", 1) + 1
        changes |= {"LastModifiedTime": account.now(), "_version": version}
        _keep_version(transaction, transaction.update("pipeline", found["PipelineName"], **changes))
    return {"PipelineArn": found["PipelineArn"], "PipelineVersionId": version}


@operation("sagemaker", "DescribePipeline")
def describe_pipeline(account: Account, request: Request) -> Answer:
    """Answer the pipeline as it is now, or as it was in a version."""
    refuse(request, "PipelineVersionAlias")
    return public(find_version(account, request))


@operation("sagemaker", "ListPipelineVersions")
def list_pipeline_versions(account: Account, request: Request) -> Answer:
    """Answer a pipeline's versions, newest first unless asked otherwise."""
    pipeline = find_pipeline(account, request["PipelineName"])
    found = account.store.find(_VERSION, pipeline["PipelineName"])
    listed = [version | {"_number": str(version["_version"])} for version in found]
    in_order = ordered(listed, request, {"CreationTime": "_version"}, "Descending")

    def summary(document: Document) -> Answer:
        number = {"PipelineVersionId": document["_version"], "CreationTime": document["_made"]}
        return {"PipelineArn": pipeline["PipelineArn"], **number}

    return page(in_order, request, "PipelineVersionSummaries", "_number", summary)


@operation("sagemaker", "ListPipelines")
def list_pipelines(account: Account, request: Request) -> Answer:
    """Answer the pipelines, newest first unless asked otherwise."""
    prefix = request.get("PipelineNamePrefix", "")
    listed = [
        document
        for document in account.store.find("pipeline")
        if document["PipelineName"].startswith(prefix) and within(document, request, "CreatedAfter", "CreatedBefore")
    ]
    listed_in_order = ordered(listed, request, {"CreationTime": "CreationTime", "Name": "PipelineName"}, "Descending")
    return page(listed_in_order, request, "PipelineSummaries", "PipelineName", _summary)


def _summary(document: Document) -> Answer:
    shown = ("PipelineArn", "PipelineName", "PipelineDisplayName", "PipelineDescription", "RoleArn", "CreationTime")
    summary = members(document, *shown, "LastModifiedTime")
    return summary | ({"LastExecutionTime": document["LastRunTime"]} if document.get("LastRunTime") else {})


@operation("sagemaker", "DeletePipeline")
def delete_pipeline(account: Account, request: Request) -> Answer:
    """Remove a pipeline with all its executions, as the service does; refused while one runs."""
    name = request["PipelineName"]
    find_pipeline(account, name)
    with account.store.transaction() as transaction:
        executions = transaction.find("execution", name)
        if any(execution["PipelineExecutionStatus"] in {"Executing", "Stopping"} for execution in executions):
            raise ServiceError("ConflictException", f"Pipeline {name} has a running execution: stop it first")
        for execution in executions:
            execution_arn = execution["PipelineExecutionArn"]
            for step in transaction.find("step", execution_arn):
                transaction.delete("step", f"{execution_arn}/{step['StepName']}")
            transaction.delete("execution", execution_arn)
        for version in transaction.find(_VERSION, name):
            transaction.delete(_VERSION, f"{name}/{version['_version']}")
        transaction.delete("pipeline", name)
    return {"PipelineArn": arn("pipeline", name)}
