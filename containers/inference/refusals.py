"""Why a request gets no answer: the status and the one line that the client sees.

RefusedError
└── what the client can mend or wait for, always with a status of 4xx or 503
GoneError
└── the client left before its request was whole; nobody reads an answer
"""

from __future__ import annotations

from steps.common.images import NotAPictureError, PhotoError


class RefusedError(Exception):
    """A request that is refused. The message reaches the client and the log: nothing of the client's is in it."""

    def __init__(self, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class GoneError(Exception):
    """The client closed the connection before its request was whole."""


def busy(message: str) -> RefusedError:
    """Return the refusal of a request that may be sent again in a moment."""
    return RefusedError(503, message, (b"retry-after", b"1"))


def of_photo(error: PhotoError, number: int | None = None) -> RefusedError:
    """Return the refusal for a photo that cannot be used; `number` is its place, from 1, among several."""
    where = "" if number is None else f"photo {number}: "
    return RefusedError(415 if isinstance(error, NotAPictureError) else 400, f"{where}{error}")
