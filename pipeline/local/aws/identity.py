"""Who calls: STS."""

from __future__ import annotations

from pipeline.local.aws.account import ACCOUNT, Account
from pipeline.local.aws.answers import Answer, Request, operation


@operation("sts", "GetCallerIdentity")
def get_caller_identity(_account: Account, _request: Request) -> Answer:
    """Answer the local account's only identity."""
    return {"UserId": "LOCAL", "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/local"}
