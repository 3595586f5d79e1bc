"""Errors that are the user's to put right, as opposed to bugs."""


class UserError(Exception):
    """Something the user can put right; the message is one line that says what to do. Ends a command with status 1."""
