"""How a condition step came to its outcome: the values it compared, read as the service reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.cli.rows import number
from pipeline.local.expressions import ExpressionError, Scope, typed_parameters

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution

_SIGNS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "GreaterThanOrEqualTo": (">=", lambda left, right: left >= right),
    "GreaterThan": (">", lambda left, right: left > right),
    "LessThanOrEqualTo": ("<=", lambda left, right: left <= right),
    "LessThan": ("<", lambda left, right: left < right),
    "Equals": ("=", lambda left, right: left == right),
}


@dataclass(frozen=True)
class Comparison:
    """One condition: what was compared with what, and whether it held."""

    name: str
    value: Any
    sign: str
    bound: Any
    held: bool

    def __str__(self) -> str:
        return (
            f"{self.name} {_text(self.value)} {self.sign if self.held else 'is not ' + self.sign} {_text(self.bound)}"
        )


def comparisons(
    session: boto3.Session, execution: Execution, definition: Mapping[str, Any], name: str
) -> list[Comparison]:
    """Return what the condition step `name` compared; nothing of what cannot be read any more."""
    from pipeline.aws.inspection import parameters

    try:
        values = typed_parameters(definition.get("Parameters", []), parameters(session, execution.arn))
    except ExpressionError:
        return []
    scope = Scope(values, {}, lambda _: {}, _Files(session, execution, definition), lambda uri: _json(session, uri))
    step = next((step for step in every_step(definition.get("Steps", [])) if step["Name"] == name), {})
    return [made for one in step.get("Arguments", {}).get("Conditions", []) if (made := _compare(one, scope))]


def _compare(condition: Mapping[str, Any], scope: Scope) -> Comparison | None:
    if condition["Type"] not in _SIGNS:
        return None
    sign, test = _SIGNS[condition["Type"]]
    try:
        left, right = scope.resolve(condition["LeftValue"]), scope.resolve(condition["RightValue"])
        return Comparison(_name(condition["LeftValue"]), left, sign, right, bool(test(left, right)))
    except (ExpressionError, TypeError, KeyError):
        return None


def _name(expression: Any) -> str:  # noqa: ANN401
    """Return a short name of what an expression stands for: the last part of a path that is no `value`."""
    body = expression if isinstance(expression, dict) else {}
    path = str(body.get("Get") or body.get("Std:JsonGet", {}).get("Path", ""))
    parts = [part for part in path.replace("]", "").replace("[", ".").split(".") if part.strip("'\"") != "value"]
    return parts[-1].strip("'\"") if parts else "value"


class _Files:
    """The property files of an execution's steps, each read once."""

    def __init__(self, session: boto3.Session, execution: Execution, definition: Mapping[str, Any]) -> None:
        self._session, self._execution, self._definition = session, execution, definition
        self._read: dict[tuple[str, str], Any] = {}

    def __call__(self, step: str, name: str) -> Any:  # noqa: ANN401
        if (step, name) not in self._read:
            self._read[step, name] = self._load(step, name)
        return self._read[step, name]

    def _load(self, step: str, name: str) -> Any:  # noqa: ANN401
        from pipeline.aws.inspection import outputs

        body = next((one for one in every_step(self._definition.get("Steps", [])) if one["Name"] == step), {})
        file = next((one for one in body.get("PropertyFiles", []) if one["PropertyFileName"] == name), None)
        ran = self._execution.step(step)
        if file is None or ran is None or ran.job is None:
            raise ExpressionError(f"step {step} wrote no property file {name}")
        uri = outputs(self._session, ran.job).get(file["OutputName"], "")
        return _json(self._session, f"{uri.rstrip('/')}/{file['FilePath']}")


def _json(session: boto3.Session, uri: str) -> Any:  # noqa: ANN401
    from pipeline.aws.objects import read_text
    from pipeline.errors import UserError

    try:
        return json.loads(read_text(session, uri))
    except (UserError, ValueError) as error:
        raise ExpressionError(str(error)) from None


def every_step(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the steps of a definition, those in the branches of conditions included."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from every_step(step.get("Arguments", {}).get(branch, []))


def _text(value: Any) -> str:  # noqa: ANN401
    return number(value) if isinstance(value, float) else str(value)
