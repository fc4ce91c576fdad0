"""What AWS and its SDK raise, as one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from pipeline.aws.diagnosis import advice
from pipeline.errors import UserError

_LONGEST = 600
_SERVICE_FAULT = 500  # HTTP status codes from here on
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "InvalidAccessKeyId"}
_EXPIRED |= {"UnrecognizedClientException", "AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403", "Forbidden"}
_QUOTA = {"ResourceLimitExceeded", "LimitExceededException", "ServiceQuotaExceededException"}
_THROTTLED = {"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "SlowDown"}
_THROTTLED |= {"TooManyRequestsException", "RequestThrottled", "RequestThrottledException", "PriorRequestNotComplete"}
_MISSING = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "404"}

_NO_KEYS = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoAuthTokenError)
_NO_SESSION = (
    exceptions.SSOError,
    exceptions.LoginError,
    exceptions.TokenRetrievalError,
    exceptions.CredentialRetrievalError,
    exceptions.UnauthorizedSSOTokenError,
)
_NO_NETWORK = (exceptions.HTTPClientError, exceptions.ConnectionError)
_SIGN_IN = "sign in again (`aws sso login`) or renew the keys, or leave out `--target aws`"
_RAISED: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        _NO_KEYS,
        "there are no AWS credentials: run `aws configure` or `aws sso login`, or leave out `--target aws`",
    ),
    (
        _NO_SESSION,
        f"the AWS credentials have expired or cannot be read: {_SIGN_IN}",
    ),
    ((exceptions.NoRegionError,), "no AWS region is set: set AWS_DEFAULT_REGION, or `aws configure set region`"),
    ((exceptions.ProfileNotFound,), "the AWS profile that AWS_PROFILE names does not exist: see `aws configure list`"),
    (
        _NO_NETWORK,
        "AWS cannot be reached: check the network, the proxy and the region",
    ),
)


@contextmanager
def aws_errors() -> Iterator[None]:
    """Turn what botocore raises into UserError; also a decorator of functions that are no generators."""
    try:
        yield
    except ClientError as error:
        raise UserError(_one_line(_refusal(error))) from error
    except BotoCoreError as error:
        raise UserError(_one_line(_failure(error))) from error
    except Boto3Error as error:
        # A transfer that failed: the reason is in what was raised before it.
        inner = error.__context__
        raise UserError(_one_line(_refusal(inner) if isinstance(inner, ClientError) else str(error))) from error


def code_of(error: ClientError) -> str:
    """Return the service's code of an error, as `ResourceNotFound`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return the service's message of an error."""
    return str(error.response.get("Error", {}).get("Message", ""))


def is_throttling(error: ClientError) -> bool:
    """Say whether the service asks to be called less often."""
    return code_of(error) in _THROTTLED


def is_expired(error: BaseException | None) -> bool:
    """Say whether the keys are no longer accepted, or cannot be read any more: signing in again helps."""
    return isinstance(error, (*_NO_SESSION, *_NO_KEYS)) or (
        isinstance(error, ClientError) and code_of(error) in _EXPIRED
    )


def is_unreachable(error: BaseException | None) -> bool:
    """Say whether the network is to blame, or a fault of the service's own: waiting helps."""
    if isinstance(error, ClientError):
        status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= _SERVICE_FAULT and not is_throttling(error)
    return isinstance(error, _NO_NETWORK)


def is_denied(error: ClientError) -> bool:
    """Say whether the caller lacks a permission."""
    return code_of(error) in _DENIED


def is_missing(error: ClientError) -> bool:
    """Say whether something does not exist: SageMaker answers many of these as a ValidationException."""
    message = message_of(error).lower()
    words = ("does not exist", "not found", "could not find", "can't find")
    return code_of(error) in _MISSING or (
        code_of(error) == "ValidationException" and any(word in message for word in words)
    )


def _refusal(error: ClientError) -> str:
    code, call, message = code_of(error), error.operation_name, message_of(error)
    if code not in _EXPIRED and (hint := advice(f"{code}: {message}")):
        return f"AWS refuses {call}: {hint} ({message})"
    if code in _EXPIRED:
        return f"AWS does not accept the credentials ({code}): {_SIGN_IN}"
    if code in _DENIED:
        return f"AWS denies {call}: the role or user that you use needs this permission ({message})"
    if code in _QUOTA:
        return f"an AWS quota is used up: {message} - ask for more under Service Quotas, or use other instances"
    if is_throttling(error):
        return f"AWS throttles {call}: wait a minute and try again"
    if code in {"ValidationException", "ValidationError"} or is_missing(error):
        return message or f"{call}: {code}"
    return f"{call} failed with {code}: {message}"


def _failure(error: BotoCoreError) -> str:
    return next((text for kinds, text in _RAISED if isinstance(error, kinds)), f"AWS SDK: {error}")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
