"""Errors that a user can mend."""


class UserError(Exception):
    """The message is one line that says what is wrong and what to do; the command line prints it alone."""
