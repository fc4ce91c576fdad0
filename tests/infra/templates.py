"""Reading the template: CloudFormation's short forms as the long ones, and functions put in place of their values."""

from __future__ import annotations

from typing import Any

import yaml

_PLAIN = {"Ref", "Condition"}


class _Loader(yaml.SafeLoader):
    """Knows the tags of CloudFormation."""


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in _PLAIN else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def load(text: str) -> dict[str, Any]:
    """Return a template with its short forms (`!Sub x`) as long ones (`{"Fn::Sub": "x"}`)."""
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with more tags
    return document
