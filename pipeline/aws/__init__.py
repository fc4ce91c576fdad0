"""The only code that calls AWS; it takes a boto3 session and does not care who answers."""
