"""Lists as the service gives them: filtered by time, sorted as asked, a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pipeline.local.aws.answers import Answer, Request, invalid

Document = Mapping[str, Any]


def within(document: Document, request: Request, after: str, before: str) -> bool:
    """Say whether the document was created between the request's two times, where it names them."""
    created = document["CreationTime"]
    return bool(request.get(after, created) <= created <= request.get(before, created))


def ordered(
    documents: Iterable[Document], request: Request, by: Mapping[str, str], order: str = "Ascending"
) -> list[Document]:
    """Sort by the request's SortBy (`by` says which member it means; its first entry is the default) and SortOrder."""
    member = by[request.get("SortBy", next(iter(by)))]
    descending = request.get("SortOrder", order) == "Descending"
    # Reversed before a stable sort: of two of one moment, the later written is the newer one.
    listed = list(documents)[::-1] if descending else list(documents)
    return sorted(listed, key=lambda document: document[member], reverse=descending)


def page(
    items: Sequence[Document], request: Request, result: str, key: str, show: Callable[[Document], Answer]
) -> Answer:
    """Return the page that the request's NextToken and MaxResults ask for, under `result`.

    A token names the last item that was given (its member `key`), so that items that come in between shift nothing.
    """
    start = 0
    if token := request.get("NextToken"):
        last = _decode(token)
        start = next((index + 1 for index, item in enumerate(items) if item[key] == last), -1)
        if start < 0:
            raise invalid("Invalid NextToken")
    size = request.get("MaxResults", 100)
    shown = list(islice(items, start, start + size))
    answer: Answer = {result: [show(item) for item in shown]}
    if start + size < len(items):
        answer["NextToken"] = _encode(str(shown[-1][key]))
    return answer


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        raise invalid("Invalid NextToken") from None
