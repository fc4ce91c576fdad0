"""How an execution ended, and where what it made lies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import staging
from pipeline.cli.gate import Comparison, comparisons
from pipeline.cli.rows import clock, one_line
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution

REPORT, EVALUATION = "report.html", "evaluation.json"


@dataclass(frozen=True)
class Outcome:
    """What to tell at the end; what there is none of is empty."""

    status: str
    seconds: float
    reason: str = ""
    score: str = ""
    gate: tuple[Comparison, ...] = ()
    version: str = ""
    staging: str = ""
    report: str = ""
    approve: str = ""
    resume: str = ""
    advice: str = ""
    """What to do about the reason, where that is known."""
    figures: Mapping[str, Any] = field(default_factory=dict)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what to print as pairs of a word and a text."""
        yield self.status.lower(), f"in {clock(self.seconds)}{': ' + self.reason if self.reason else ''}"
        gate = ", ".join(map(str, self.gate))
        told = ("score", self.score), ("gate", gate), ("model", self.version), ("staging", self.staging)
        then = ("report", self.report), ("approve", self.approve), ("resume", self.resume), ("advice", self.advice)
        yield from ((word, text) for word, text in (*told, *then) if text)

    def as_json(self) -> dict[str, Any]:
        """Return the same for scripts."""
        return asdict(self)


def outcome(session: boto3.Session, execution: Execution, definition: Mapping[str, Any]) -> Outcome:
    """Read how an execution ended. What cannot be read is left out: this never hides the end itself."""
    from pipeline.aws.diagnosis import advice
    from pipeline.cli.lookup import flag

    found = dict(_found(session, execution))
    figures = _figures(session, found.get(EVALUATION))
    decided = [step.name for step in execution.steps if step.outcome is not None]
    gate = [one for name in decided for one in comparisons(session, execution, definition, name)]
    missed = any(step.kind == "Fail" and step.status == "Failed" for step in execution.steps)
    failed = execution.status in {"Failed", "Stopped"} and not missed
    asked = staging.requested(execution, definition)
    deployed = staging.current(session, asked) if asked else None
    version, approval = _version(session, execution)
    pending = approval == "PendingManualApproval"
    return Outcome(
        status=execution.status,
        seconds=(execution.changed - execution.started).total_seconds(),
        reason=_reason(execution),
        score=score_text(figures),
        gate=tuple(gate),
        version=version,
        staging=staging.text(asked, deployed) if asked and deployed else "",
        report=local_path(found[REPORT]) if REPORT in found else "",
        approve=staging.advice(session, asked) if asked and deployed and deployed.passed and pending else "",
        resume=f"bincount resume {execution.id}{flag(execution.arn)}" if failed else "",
        advice=advice(_reason(execution)),
        figures=figures,
    )


def _reason(execution: Execution) -> str:
    failed = [step for step in execution.steps if step.status == "Failed" and step.reason]
    if failed:
        return f"{failed[0].name}: {one_line(failed[0].reason or '')}"
    return one_line(execution.reason or "") if execution.status != "Succeeded" else ""


def _found(session: boto3.Session, execution: Execution) -> Iterator[tuple[str, str]]:
    """Yield the name and URI of the report and of the figures, in whichever job's outputs they lie."""
    from pipeline.aws.inspection import outputs
    from pipeline.aws.objects import keys, split_uri

    for step in execution.steps:
        if step.job is None or step.job.kind != "processing" or step.status != "Succeeded":
            continue
        try:
            for uri in outputs(session, step.job).values():
                bucket = split_uri(uri)[0]
                # A data set has thousands of keys; a report has few and lies at the top.
                for name in (REPORT, EVALUATION):
                    if f"{split_uri(uri)[1].rstrip('/')}/{name}" in keys(session, f"{uri.rstrip('/')}/{name}"):
                        yield name, f"s3://{bucket}/{split_uri(uri)[1].rstrip('/')}/{name}"
        except UserError:
            continue


def _figures(session: boto3.Session, uri: str | None) -> dict[str, Any]:
    from pipeline.aws.objects import read_text

    try:
        figures = json.loads(read_text(session, uri)) if uri else {}
    except (UserError, ValueError):
        return {}
    return figures if isinstance(figures, dict) else {}


def score_text(figures: Mapping[str, Any]) -> str:
    """Return macro-F1 with its interval beside what guessing the most frequent class gives."""
    metrics = figures.get("multiclass_classification_metrics", {})
    try:
        score = metrics["macro_f1"]
        interval = score["confidence_interval"]
        text = f"macro-F1 {score['value']:.3f} [{interval['lower']:.3f}, {interval['upper']:.3f}]"
        text += f", accuracy {metrics['accuracy']['value']:.3f}"
        text += f" on {figures['dataset']['item_count']} test photos"
        return f"{text} (always {figures['majority_class']['label']}: {figures['majority_class']['macro_f1']:.3f})"
    except (KeyError, TypeError, ValueError):
        return ""


def _version(session: boto3.Session, execution: Execution) -> tuple[str, str]:
    """Return what to say of the version that an execution registered, and its approval; both empty without one."""
    from pipeline.aws.registry import version

    made = next((step.made for step in execution.steps if step.made), None)
    if made is None:
        return "", ""
    group, _, number = made.partition("model-package/")[2].rpartition("/")
    try:
        approval = version(session, group, int(number)).status
    except (UserError, ValueError):
        return made, ""
    return f"version {number} of {group} ({approval})", approval


def local_path(uri: str) -> str:
    """Return the file behind an address of this machine's S3, relative where that is shorter; else the address."""
    from pipeline.local.home import Home
    from pipeline.local.s3 import LocalS3, S3Error

    try:
        path = LocalS3(Home.find().s3).path(uri)
    except S3Error:
        return uri
    if not path.is_file():
        return uri
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
