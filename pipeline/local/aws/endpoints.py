"""SageMaker: endpoints, created, updated and deleted by a manager process; described meanwhile and after."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account, arn
from pipeline.local.aws.answers import Answer, Request, ServiceError, invalid, members, operation, public, refuse
from pipeline.local.aws.endpoint_configs import find_config
from pipeline.local.aws.hosting_models import find_model
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.endpoints.launch import ensure_manager
from pipeline.local.endpoints.plan import Plan
from pipeline.local.endpoints.state import KIND, is_busy
from pipeline.local.endpoints.traffic import routing
from pipeline.local.store import AlreadyExistsError, Transaction

_STARTUP_SECONDS = 240
_PAGE = 10  # the service's default


def missing_endpoint(name: str) -> ServiceError:
    """Return the service's error for an endpoint that does not exist."""
    return invalid(f'Could not find endpoint "{arn(KIND, name)}".')


def find_endpoint(account: Account, name: str) -> dict[str, Any]:
    """Return the endpoint's document; one in transition whose manager died gets another. Raises ValidationException."""
    found = account.store.get(KIND, name)
    if found is None:
        raise missing_endpoint(name)
    if is_busy(found):
        ensure_manager(account, name)
    return found


@operation("sagemaker", "CreateEndpoint")
def create_endpoint(account: Account, request: Request) -> Answer:
    """Record an endpoint as Creating and have its servers started."""
    name, deployment = request["EndpointName"], request.get("DeploymentConfig")
    plan = _plan(account, find_config(account, request["EndpointConfigName"]))
    _require_deployment(deployment, plan)
    now = account.now()
    document = {
        "EndpointName": name,
        "EndpointArn": arn(KIND, name),
        "EndpointConfigName": plan.config,
        "EndpointStatus": "Creating",
        "LastDeploymentConfig": deployment,
        "CreationTime": now,
        "LastModifiedTime": now,
        "_servers": [],
        "_retiring": [],
        "_live": None,
        # The first servers take all traffic at once: the deployment is for the updates to come.
        "_pending": _pending(plan, None, now),
        "_manager": None,
    }
    try:
        account.store.create(KIND, name, document)
    except AlreadyExistsError:
        raise invalid(f'Cannot create already existing endpoint "{arn(KIND, name)}".') from None
    put_tags(account, arn(KIND, name), request.get("Tags", []))
    ensure_manager(account, name)
    return members(document, "EndpointArn")


def _plan(account: Account, config: Document) -> Plan:
    variant = config["ProductionVariants"][0]
    container = find_model(account, variant["ModelName"])["_container"]
    return Plan(
        config=config["EndpointConfigName"],
        variant=variant["VariantName"],
        image=container["Image"],
        model_data=container["ModelDataUrl"],
        environment=container["Environment"],
        instances=variant["InitialInstanceCount"],
        weight=variant["InitialVariantWeight"],
        startup_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _STARTUP_SECONDS),
        capture=config.get("DataCaptureConfig"),
        containers=_trained_in(account, container["ModelDataUrl"]),
    )


def _trained_in(account: Account, model_data: str | None) -> dict[str, Any] | None:
    """Return the engine in whose containers a model was trained: it is served as it was trained."""
    jobs = account.store.find("training-job") if model_data else []
    found = [job for job in jobs if job["ModelArtifacts"]["S3ModelArtifacts"] == model_data]
    return found[-1].get("_containers") if found else None


def _require_deployment(deployment: Document | None, plan: Plan) -> None:
    refuse(deployment or {}, "RollingUpdatePolicy")
    try:
        routing(deployment, plan.instances)
    except ValueError as error:
        raise invalid(f"DeploymentConfig: {error}") from None


def _pending(plan: Plan, deployment: Document | None, now: float) -> dict[str, Any]:
    own = {"deployment": deployment, "since": now, "attempts": 0, "shifted": False, "undoing": None}
    return plan.document() | own


@operation("sagemaker", "UpdateEndpoint")
def update_endpoint(account: Account, request: Request) -> Answer:
    """Have the servers of a new configuration started beside the old ones, and traffic shifted to them."""
    name = request["EndpointName"]
    find_endpoint(account, name)
    config = find_config(account, request["EndpointConfigName"])
    plan = _plan(account, config)
    with account.store.transaction() as transaction:
        endpoint = _settled(transaction, name)
        if endpoint["EndpointStatus"] != "InService":
            raise invalid(f'Cannot update endpoint "{arn(KIND, name)}" in status {endpoint["EndpointStatus"]}.')
        if endpoint["EndpointConfigName"] == plan.config:
            raise invalid(f"Endpoint {name} already uses endpoint configuration {plan.config}: give a new one.")
        plan = _retained(request, Plan.of(endpoint["_live"]), plan)
        last = endpoint["LastDeploymentConfig"] if request.get("RetainDeploymentConfig") else None
        deployment = request.get("DeploymentConfig", last)
        _require_deployment(deployment, plan)
        now = account.now()
        transaction.update(
            KIND,
            name,
            EndpointStatus="Updating",
            FailureReason=None,
            LastDeploymentConfig=deployment,
            LastModifiedTime=now,
            PendingDeploymentSummary={"EndpointConfigName": plan.config, "StartTime": now},
            _pending=_pending(plan, deployment, now),
        )
    ensure_manager(account, name)
    return members(endpoint, "EndpointArn")


def _settled(transaction: Transaction, name: str) -> dict[str, Any]:
    endpoint = transaction.get(KIND, name)
    if endpoint is None:
        raise missing_endpoint(name)
    if is_busy(endpoint):
        raise invalid(f'Cannot update in-progress endpoint "{arn(KIND, name)}".')
    return endpoint


def _retained(request: Request, live: Plan, plan: Plan) -> Plan:
    """Return the plan with what RetainAllVariantProperties keeps of the fleet that serves now."""
    if not request.get("RetainAllVariantProperties") or live.variant != plan.variant:
        return plan
    excluded = {one["VariantPropertyType"] for one in request.get("ExcludeRetainedVariantProperties", [])}
    kept: dict[str, dict[str, Any]] = {
        "DesiredInstanceCount": {"instances": live.instances},
        "DesiredWeight": {"weight": live.weight},
        "DataCaptureConfig": {"capture": live.capture},
    }
    document = plan.document()
    for name, own in kept.items():
        document |= {} if name in excluded else own
    return Plan.of(document)


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(account: Account, request: Request) -> None:
    """Have the servers stopped, and everything of the endpoint removed; not while it is in transition."""
    name = request["EndpointName"]
    find_endpoint(account, name)
    with account.store.transaction() as transaction:
        _settled(transaction, name)
        transaction.update(KIND, name, EndpointStatus="Deleting", LastModifiedTime=account.now())
    ensure_manager(account, name)


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(account: Account, request: Request) -> Answer:
    """Answer the endpoint."""
    return public(find_endpoint(account, request["EndpointName"]))


@operation("sagemaker", "ListEndpoints")
def list_endpoints(account: Account, request: Request) -> Answer:
    """Answer the endpoints, newest first unless asked otherwise."""
    listed = []
    for document in account.store.find(KIND):
        if is_busy(document):
            ensure_manager(account, document["EndpointName"])
        if _is_asked(document, request):
            listed.append(document)
    by = {"CreationTime": "CreationTime", "Name": "EndpointName", "Status": "EndpointStatus"}
    in_order = ordered(listed, request, by, "Descending")
    return page(in_order, {"MaxResults": _PAGE, **request}, "Endpoints", "EndpointName", _summary)


def _is_asked(document: Document, request: Request) -> bool:
    modified = document["LastModifiedTime"]
    return (
        request.get("NameContains", "").lower() in document["EndpointName"].lower()
        and request.get("StatusEquals") in {None, document["EndpointStatus"]}
        and within(document, request, "CreationTimeAfter", "CreationTimeBefore")
        and request.get("LastModifiedTimeAfter", modified)
        <= modified
        <= request.get("LastModifiedTimeBefore", modified)
    )


def _summary(document: Document) -> Answer:
    return members(document, "EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
