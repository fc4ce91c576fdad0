"""moto's Lambda with the revisions that it lacks: who names another than the latest is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction


def extend_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend moto for the length of a test."""
    configuration, update = LambdaFunction.get_configuration, LambdaBackend.update_function_code

    def revision(function: Any) -> str:
        return hashlib.sha256(f"{function.code_sha_256}".encode()).hexdigest()[:12]

    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:
        about: dict[str, Any] = configuration(self, on_create)
        return {**about, "RevisionId": revision(self), "LastUpdateStatus": "Successful"}

    def update_function_code(self: Any, function_name: str, qualifier: str, body: dict[str, Any]) -> Any:
        given = body.pop("RevisionId", None)
        if given not in {None, revision(self.get_function(function_name, qualifier))}:
            raise LambdaClientError("PreconditionFailedException", "The RevisionId provided does not match the latest.")
        return update(self, function_name, qualifier, body)

    monkeypatch.setattr(LambdaFunction, "get_configuration", get_configuration)
    monkeypatch.setattr(LambdaBackend, "update_function_code", update_function_code)
