"""How much and how long: an API's caller waits at most 29 s, and the endpoint takes 6 MiB."""

from __future__ import annotations

from predict.errors import RefusalError

LARGEST_PHOTO = 6_291_456
"""Bytes that InvokeEndpoint takes (the botocore model's BodyBlob)."""

FETCH_SECONDS = 8.0
"""For everything that a URL needs: resolving, connecting, redirects, reading."""

# Two attempts each, since a connection that was frozen with the function is often dead. The longest way to an answer is
# then 8 s for the URL, or 2 x (1 + 3) s and the pause between for S3, and 2 x (1 + 8) s and the pause for the endpoint.
ATTEMPTS = 2
CONNECT_SECONDS = 1.0
S3_READ_SECONDS = 3.0
ENDPOINT_READ_SECONDS = 8.0


def too_large() -> RefusalError:
    """Return the refusal of a photo over the limit."""
    return RefusalError(413, f"the photo has more than {LARGEST_PHOTO} bytes")
