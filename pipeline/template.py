"""The stack's template as it is sent: a request takes 51,200 bytes, and comments and indentation count.

Only a template in S3 may be longer, and the bucket is one of the things that the stack makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from pipeline.errors import UserError

TEMPLATE = Path(__file__).parents[1] / "infra" / "template.yaml"
MOST_BYTES = 51_200


def template_body(path: Path = TEMPLATE) -> str:
    """Return the template on one line, without comments: the same document, tags (`!Sub`, ...) included.

    JSON in it is the same as well, but for its spaces.

    Raises:
        UserError: this is no checkout, so that there is no template.
    """
    if not path.is_file():
        raise UserError(f"no {path.name} in {path.parent}: run this from a checkout (pip install -e .)")
    document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for node in _nodes(document):
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = True
        elif isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:  # JSON or text of several lines
            node.value, node.style = _line(node.value), "'"
    return yaml.serialize(document, Dumper=_Dense, width=float("inf"), allow_unicode=True)


def _line(text: str) -> str:
    return json.dumps(json.loads(text), separators=(",", ":")) if text.startswith("{") else text.strip()


class _Dense(yaml.SafeDumper):
    """Writes no space after a comma."""

    def write_indicator(
        self, indicator: str, need_whitespace: bool, whitespace: bool = False, indention: bool = False
    ) -> None:
        super().write_indicator(indicator, need_whitespace, whitespace or indicator == ",", indention)


def _nodes(node: yaml.Node | None) -> Iterator[yaml.Node | None]:
    yield node
    if isinstance(node, yaml.CollectionNode):
        for part in node.value:
            for one in part if isinstance(part, tuple) else (part,):
                yield from _nodes(one)
