"""The one exception that a user's mistake may raise, and how it tells what was probably meant."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any


class InputError(ValueError):
    """Bad input, told in one sentence.

    The message names the file or the key, what was expected and what was found. The entry point prints it
    without a traceback and ends with exit status 2; nothing has been written when it is raised.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """End of a sentence about an unknown word: the known one nearest to it, or all when none is near."""
    known = sorted(known)
    close = difflib.get_close_matches(word, known, 1, cutoff=0.5)
    return f"; did you mean {close[0]}" if close else f"; expected one of {', '.join(known)}"


def check_choices(choices: Mapping[str, Collection], **given: Any) -> None:
    """Holds a method's options against their choices; an InputError names the option."""
    for option, value in given.items():
        if value not in choices[option]:
            raise InputError(f"options.{option} is {value!r}, expected one of {choices[option]}.")
