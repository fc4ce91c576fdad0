"""The engine that an execution's containers run in, and how: chosen once, and on record for all that comes after."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from pipeline.building.engine import VARIABLE, Engine, find
from pipeline.errors import UserError

ARGUMENTS = "BINCOUNT_ENGINE_ARGS"
_NETWORK = ("--network", "--net")


@dataclass(frozen=True)
class Choice:
    """An engine and what each container is started with.

    `command` starts the engine's program; `arguments` are more for its `run`; `user` is whom a job runs as, where the
    engine would make it root, whose files the user could not delete.
    """

    kind: str
    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    user: str | None = None

    @property
    def host_network(self) -> bool:
        """Whether the arguments put every container in this machine's network."""
        return _network(self.arguments) == "host"

    @property
    def engine(self) -> Engine:
        """The engine."""
        return Engine("podman" if self.kind == "podman" else "docker", self.command)

    def document(self) -> dict[str, Any]:
        """Return the choice as the store keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Choice:
        """Return the choice in a document."""
        command, arguments = tuple(document["command"]), tuple(document["arguments"])
        return cls(document["kind"], command, arguments, document["user"])


def choose(recorded: Mapping[str, Any] | None = None) -> Choice:
    """Return the choice on record, or a new one; what the environment says now comes first.

    Raises:
        UserError: there is no engine that works, or BINCOUNT_ENGINE_ARGS cannot be used.
    """
    arguments = arguments_of(os.environ.get(ARGUMENTS, ""))
    if recorded is not None and not os.environ.get(VARIABLE):
        known = Choice.of(recorded)
        return Choice(known.kind, known.command, arguments or known.arguments, known.user)
    engine = find()
    return Choice(engine.kind, engine.command, arguments, _user(engine))


def arguments_of(text: str) -> tuple[str, ...]:
    """Split the arguments for the engine's run. Raises UserError where they are no shell's words, or name a network."""
    try:
        arguments = tuple(shlex.split(text))
    except ValueError as error:
        raise UserError(f"{ARGUMENTS}: {error}") from None
    if _network(arguments) not in {None, "host"}:
        raise UserError(
            f"{ARGUMENTS}: --network may be host, or left out: hosts of one job share a network of their own"
        )
    return arguments


def _network(arguments: tuple[str, ...]) -> str | None:
    found = None
    for argument, following in pairwise((*arguments, "")):
        name, given, value = argument.partition("=")
        if name in _NETWORK:
            found = value if given else following
    return found


def _user(engine: Engine) -> str | None:
    """Return who a job must be for its files to be the user's: root where that is the user, seen from outside."""
    if engine.kind == "podman" or os.getuid() == 0:
        return None
    if "rootless" in engine.run("info", "--format", "{{.SecurityOptions}}").stdout:
        return None
    return f"{os.getuid()}:{os.getgid()}"
