"""The systems, one file each; a file is found by its name and builds its method with `build(**options)`."""

import importlib
import inspect
import pkgutil

from gganjax.errors import InputError, nearest


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


def _module(name):
    if name not in names():
        raise InputError(f"method is '{name}'{nearest(name, names())}.")
    return importlib.import_module(f"{__name__}.{name}")
