"""A compiled definition, ours or not, checked without a call to AWS.

Checked: the grammar of version 2020-12-01, each step's arguments against the API that they go to (unknown and missing
keys, types, enumerations, patterns, lengths and ranges, by botocore's service model), every reference (parameters,
steps, outputs, property files, tuned hyperparameters), names, limits and cycles. Not checked: whether what a definition
names exists in an account.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.validation.document import open_document
from pipeline.validation.faults import Fault
from pipeline.validation.grammar import check_grammar
from pipeline.validation.references import check_references
from pipeline.validation.requests import check_request

__all__ = ["Fault", "validate_definition"]

MAX_CHARACTERS = 1_048_576  # of PipelineDefinition, by the API
MAX_DEPTH = 64  # real definitions stay below 20; deeper ones only wear out the stack


def validate_definition(text: str) -> list[Fault]:
    """Return what is wrong with a definition, in the order of its paths; nothing for a good one.

    Any text gets an answer: this raises nothing.
    """
    if len(text) > MAX_CHARACTERS:
        return [Fault("", f"{len(text)} characters; a definition has at most {MAX_CHARACTERS}")]
    repeated: list[str] = []
    try:
        definition = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, repeated), parse_constant=_refuse)
    except RecursionError:
        return [Fault("", "objects nest too deep")]
    except ValueError as error:
        return [Fault("", f"not JSON: {error}")]
    if not isinstance(definition, dict):
        return [Fault("", "not a JSON object")]
    if _depth(definition) > MAX_DEPTH:
        return [Fault("", f"objects nest deeper than {MAX_DEPTH}")]
    faults = {Fault("", f"key {name!r} appears twice in one object") for name in repeated}
    document = open_document(definition)
    faults.update(check_grammar(definition, document))
    faults.update(check_references(definition, document))
    for step in document.steps:
        faults.update(check_request(step, document))
    return sorted(faults)


def _object(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        seen: set[str] = set()
        repeated += [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
    return whole


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _depth(value: Any) -> int:  # noqa: ANN401
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
