"""What to do about what the service says: the reason of a step that failed, or of a call that was refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_LIMIT = re.compile(r"account-level service limit '([^']{1,100})'")
_CAPACITY = re.compile(r"InsufficientCapacity|CapacityError|unable to provision requested (ml )?compute", re.IGNORECASE)
_IMAGE = re.compile(
    r"ImageNotFound|RepositoryNotFound|CannotPullContainer|manifest unknown"
    r"|(image|repository)\b.{0,300}?\b(not found|does not exist|no such|cannot find|can ?not be found|not present)"
    r"|(cannot|can't|could not|failed to|unable to) (find|pull|locate)\b.{0,60}?\bimage",
    re.IGNORECASE | re.DOTALL,
)
_PASS = re.compile(r"iam:PassRole", re.IGNORECASE)
_ASSUME = re.compile(r"sts:AssumeRole|assum(e|ing) (the )?role|assumed by|not authorized to assume", re.IGNORECASE)
_TEACHER = re.compile(r"\bTrainingJobSummaries\[\d+\]")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]*\w")


def advice(text: str) -> str:
    """Return what to do about a reason or message of the service; empty where nobody knows."""
    role = found[0] if (found := _ROLE.search(text)) else "the role"
    if (limit := _LIMIT.search(text)) or "ResourceLimitExceeded" in text:
        which = f"'{limit[1]}'" if limit else "this quota"
        return f"ask for more of {which} under Service Quotas, Amazon SageMaker, or choose another instance type"
    if _CAPACITY.search(text):
        return "AWS has no such instance free at the moment: `bincount resume` tries again, or choose another type"
    if _IMAGE.search(text):
        return "the image is not in ECR: `bincount images push`, then `bincount resume`"
    if _PASS.search(text):
        return f"whoever starts it, or the pipeline's role, may not hand {role} on: it needs iam:PassRole for it"
    if _ASSUME.search(text):
        return f"SageMaker cannot assume {role}: `bincount bootstrap` makes the roles and lets SageMaker assume them"
    if _TEACHER.search(text):
        return "fewer trials completed than Train has teachers: see why they failed, or set train.teachers lower"
    return ""


def refused_step(message: str, definition: str) -> str:
    """Return the step of a definition that a refusal is about, where the message names one; else nothing.

    Longer names come first: `Train` is in what is said of `TrainAgain`.
    """
    try:
        names = sorted(_names(json.loads(definition).get("Steps", [])), key=len, reverse=True)
    except (ValueError, AttributeError):
        return ""
    return next((name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message)), "")


def _names(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        yield str(step.get("Name", ""))
        for branch in ("IfSteps", "ElseSteps"):
            yield from _names(step.get("Arguments", {}).get(branch, []))
