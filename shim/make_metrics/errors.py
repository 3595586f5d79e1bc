"""Errors that the user can put right. Every other exception is a bug of ours."""


class UserError(Exception):
    """The message is one line that says what to do. The command ends with status 1."""
