"""The one exception that a user's mistake may raise."""


class InputError(ValueError):
    """Bad input, told in one sentence.

    The message names the file or the key, what was expected and what was found. The entry point prints it
    without a traceback and ends with exit status 2; nothing has been written when it is raised.
    """
