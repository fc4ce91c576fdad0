"""Why a request is not answered with a result."""

from __future__ import annotations


class RefusalError(Exception):
    """A request that ends without a result.

    `status` is an HTTP status: 400 the request is malformed, 403 an address or bucket that may not be read, 413 more
    bytes than the endpoint takes, 415 not a picture, 424 the model failed, 502 the photo cannot be fetched, 503 the
    endpoint is busy or not ready, 504 something took too long. The message is one line for the caller: nothing of the
    function's inside, and no address that the caller did not give. What happened in truth is in the exception's cause,
    for the log.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def refused_host() -> RefusalError:
    """Return the one refusal of every host that is not fetched from: it does not tell which of them exist."""
    return RefusalError(403, "the host of image_url does not exist or is not allowed")
