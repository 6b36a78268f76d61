"""What every kind of data set becomes: numbered pairs of panels at working size.

Pictures are uint8 [H, W, 3]. A panel carries its guidance either as key points, drawn after the augmentation so that
its lines stay sharp, or as a picture that goes through the same resize, crop and flip.
"""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np


class Panel(NamedTuple):
    """One side of a pair."""

    picture: np.ndarray  # uint8 [H, W, 3] at working size
    figure: list | None = None  # key points in pixels of `picture`
    guidance: np.ndarray | None = None  # uint8 [H, W, 3], where there is no figure


class Source:
    """Numbered pairs; `source[i]` reads pair i, the same in every thread and process."""

    def __init__(
        self, names: Sequence[str], load: Callable[[int], tuple[Panel, Panel]], facts: dict, *, size: int, mirrored: bool
    ):
        self.names = names
        self.load = load  # index -> (source panel, target panel)
        self.size = size  # height and width of every panel
        self.mirrored = mirrored  # whether flips are already stored as pairs of their own
        self._facts = facts

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict:
        source, target = self.load(index)
        sample = dict(source=source.picture, target=target.picture, name=self.names[index])
        for side, panel in (("source", source), ("target", target)):
            kind = "guidance" if panel.figure is None else "figure"
            sample[f"{side}_{kind}"] = getattr(panel, kind)
        return sample

    def describe(self) -> dict:
        """What was found: kind, folder, pairs, pictures, sizes, pairs left out and why, bad files by name."""
        return dict(self._facts)


class Names:
    """Pair names computed when asked for, for sets too large or too slow to list."""

    def __init__(self, count: int, name: Callable[[int], str]):
        self._count, self._name = count, name

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> str:
        return self._name(index)


class Memory:
    """Keeps what was computed, up to a number of bytes; what no longer fits is computed again each time."""

    def __init__(self, megabytes: int):
        self._room = megabytes * 2**20
        self._kept = {}
        self._lock = threading.Lock()

    def get(self, key, make: Callable):
        """Returns what is remembered under the key, a panel or a tuple of panels, or makes it."""
        found = self._kept.get(key)
        if found is None:
            found = make()
            size = _bytes(found)
            with self._lock:
                if key not in self._kept and size <= self._room:
                    self._kept[key] = found
                    self._room -= size
        return found


def _bytes(found) -> int:
    if isinstance(found, Panel):
        return sum(part.nbytes for part in (found.picture, found.guidance) if part is not None)
    return sum(_bytes(panel) for panel in found)
