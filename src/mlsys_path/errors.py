"""The one exception that reaches a user as a line of text."""


class UserError(Exception):
    """Something the user can mend: the message is one line that says what is wrong, where, and what to do."""
