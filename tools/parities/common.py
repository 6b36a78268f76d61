"""What every comparison uses: reading a fixture, and pairs of arrays to compare."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gganjax.errors import InputError

TOLERANCE = 2e-5  # largest difference, relative to the largest magnitude of the recorded array


class Pair(NamedTuple):
    """Our array beside the recorded one.

    Attributes:
      name: what it is.
      ours, recorded: the arrays.
      tolerance: of the relative error; other than TOLERANCE only with a reason.
      reason: one line that explains the other tolerance.
      scale: magnitude of the terms whose sum the array is, where they may cancel; 0 where they do not.
    """

    name: str
    ours: np.ndarray
    recorded: np.ndarray
    tolerance: float = TOLERANCE
    reason: str = ""
    scale: float = 0.0

    def errors(self) -> tuple[float, float]:
        """Returns the largest difference, absolute and relative to the largest magnitude; infinite if not comparable."""
        ours, recorded = np.asarray(self.ours, np.float64), np.asarray(self.recorded, np.float64)
        if ours.shape != recorded.shape or not np.isfinite(ours).all():
            return np.inf, np.inf
        absolute = float(np.max(np.abs(ours - recorded), initial=0.0))
        return absolute, absolute / max(float(np.max(np.abs(recorded), initial=0.0)), self.scale, 1e-12)


class Fixture:
    """A recorded file: `meta`, and arrays by group, whose names start with "in/", "w/" and "out/"."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            with np.load(self.path, allow_pickle=False) as file:
                self.arrays = {key: file[key] for key in file.files if key != "meta"}
                self.meta = json.loads(str(file["meta"]))
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{self.path} is no fixture (an .npz file with a JSON text 'meta'): {error}") from None

    @property
    def model(self) -> str:
        """What was recorded, in the recorder's words."""
        return str(self.meta.get("model") or self.meta.get("metric"))

    @property
    def arguments(self) -> dict:
        """The constructor's arguments."""
        return self.meta.get("args") or self.meta.get("constructor") or {}

    def group(self, prefix: str) -> dict[str, np.ndarray]:
        """Returns the arrays whose names start with `prefix`, without it."""
        return {key.removeprefix(prefix): value for key, value in self.arrays.items() if key.startswith(prefix)}
