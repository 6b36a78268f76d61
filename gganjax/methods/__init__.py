"""The systems, one file each; a file is found by its name and builds its method with `build(**options)`."""

import difflib
import importlib
import inspect
import pkgutil

from gganjax.errors import InputError


def names() -> list[str]:
    """Names of all methods."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def options(name: str) -> dict[str, inspect.Parameter]:
    """Keyword arguments of a method's `build`, with their defaults."""
    return dict(inspect.signature(_module(name).build).parameters)


def load(name: str, options_: dict | None = None):
    """Builds a method.

    Args:
      name: one of `names()`.
      options_: keyword arguments of its `build`.

    Raises:
      InputError: the name or an option is unknown; the sentence names the nearest known one.
    """
    known = options(name)
    for key in options_ or {}:
        if key not in known:
            raise InputError(f"options.{key} is no option of {name}{nearest(key, known)}.")
    return _module(name).build(**(options_ or {}))


def nearest(word: str, known) -> str:
    """End of a sentence about an unknown word: the known one nearest to it, or all of them when none is near."""
    close = difflib.get_close_matches(word, list(known), 1, cutoff=0.5)
    return f"; did you mean '{close[0]}'" if close else f"; expected one of {sorted(known)}"


def _module(name):
    if name not in names():
        raise InputError(f"method is '{name}'{nearest(name, names())}.")
    return importlib.import_module(f"{__name__}.{name}")
