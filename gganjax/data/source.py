"""What every kind of data set becomes: numbered pairs of panels at working size.

Pictures are uint8 [H, W, 3]. A panel carries its guidance either as key points, drawn after the augmentation so that
its lines stay sharp, or as a picture that goes through the same resize, crop and flip. Sets whose pictures have no
counterparts carry domains in place of guidance. Sets of sequences have no panels: they make the fields of a batch
themselves.
"""

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np


class Panel(NamedTuple):
    """One side of a pair."""

    picture: np.ndarray  # uint8 [H, W, 3] at working size
    figure: list | None = None  # key points in pixels of `picture`
    guidance: np.ndarray | None = None  # uint8 [H, W, 3], where there is no figure
    domain: np.ndarray | None = None  # float32 [M], 1 for the picture's domain or each of its attributes, 0 elsewhere
    classes: np.ndarray | None = None  # integers [H, W], the class of every pixel
    # What belongs to the pair, on whichever side: name of the batch field -> integers [H, W] or a picture [H, W, 3], or a
    # function that makes it where a method asks
    maps: Mapping[str, np.ndarray | Callable[[], np.ndarray]] | None = None


class Classes(NamedTuple):
    """The classes of a set's maps."""

    palette: np.ndarray  # uint8 [N, 3], their colors; a class beyond is black
    highest: int  # that a map may hold, unknown included
    pixels: Mapping[int, int]  # class -> how many pixels of the split are of it; empty where nobody counted
    unknown: int | None = None  # the class of unknown pixels, of sets that may have them


class Side(NamedTuple):
    """All pictures that may stand on one side of an unrelated pair."""

    names: Sequence[str]
    load: Callable[[int], Panel]


class Source:
    """Numbered pairs; `source[i]` reads pair i, the same in every thread and process.

    Attributes:
      names: of the pairs.
      load: index -> (source panel, target panel); None for sequences.
      size: (height, width) of every panel.
      mirrored: whether flips are already stored as pairs of their own.
      sides: (source side, target side) of a set without counterparts, whose pictures training takes in two
        independent orders; None where pairs belong together.
      target_of: index -> which picture the target is, for unrelated pairs that share target pictures; None elsewhere.
      panel: name of a picture -> its panel, of sets that keep pictures under names; None elsewhere.
      classes: what is known of the classes of maps, see `Classes`; None where there are none.
      absent: batch field -> one sentence, for what a set of this kind may have and this one has not.
      sequence: (index, names of fields or None for all) -> these batch fields of a sample, and its name, of sets of
        sequences; None where there are panels.
    """

    def __init__(
        self,
        names: Sequence[str],
        load: Callable[[int], tuple[Panel, Panel]] | None,
        facts: dict,
        *,
        size: int | tuple[int, int],
        mirrored: bool,
        sides: tuple[Side, Side] | None = None,
        target_of: Callable[[int], Any] | None = None,
        panel: Callable[[str], Panel] | None = None,
        classes: Classes | None = None,
        absent: Mapping[str, str] = MappingProxyType({}),
        sequence: Callable[[int, Any], dict] | None = None,
    ):
        self.names = names
        self.load = load
        self.size = both(size)
        self.mirrored = mirrored
        self.sides = sides
        self.target_of = target_of
        self.panel = panel
        self.classes = classes
        self.absent = absent
        self.sequence = sequence
        self._facts = facts

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> dict:
        return self.sequence(index, None) if self.sequence else raw_sample(*self.load(index), self.names[index])

    @property
    def palette(self) -> np.ndarray | None:
        """Colors of the classes of maps, uint8 [N, 3]; None where there are none."""
        return self.classes and self.classes.palette

    def part(self, chosen: Sequence[int], facts: dict | None = None) -> "Source":
        """The pairs of these numbers alone, in that order."""
        part = copy.copy(self)
        part.names = Names(len(chosen), lambda index: self.names[chosen[index]])
        part.load = self.load and (lambda index: self.load(chosen[index]))
        part.sequence = self.sequence and (lambda index, fields: self.sequence(chosen[index], fields))
        part.target_of = self.target_of and (lambda index: self.target_of(chosen[index]))
        part._facts = self._facts if facts is None else facts
        return part

    def exchanged(self) -> "Source":
        """The same pairs, where pairs belong together, in the other direction."""
        other = copy.copy(self)
        other.load = lambda index: self.load(index)[::-1]
        return other

    def describe(self) -> dict:
        """What was found: kind, folder, pairs, pictures, sizes, pairs left out and why, bad files by name.

        `paired` is False where source and target are unrelated pictures; `domains` are names in the order of label
        vectors.
        """
        return dict(self._facts)


def raw_sample(source: Panel, target: Panel, name: str) -> dict:
    """A sample before augmentation: source, target, name, what there is of `maps`, and of figure, guidance, domain and
    classes of each side under names such as `source_figure`."""
    sample = dict(source=source.picture, target=target.picture, name=name)
    if source.maps or target.maps:
        sample["maps"] = {**(source.maps or {}), **(target.maps or {})}
    for side, panel in (("source", source), ("target", target)):
        found = {key: getattr(panel, key) for key in ("figure", "guidance", "domain", "classes")}
        sample.update({f"{side}_{key}": value for key, value in found.items() if value is not None})
    return sample


def both(size: int | tuple[int, int]) -> tuple[int, int]:
    """(height, width) of a size that may be one number for both."""
    return (size, size) if isinstance(size, int) else tuple(size)


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
        """Returns what is remembered under the key, a panel, a tuple of panels or an array, or makes it."""
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
        parts = (found.picture, found.guidance, found.classes, *(found.maps or {}).values())
        return sum(_bytes(part) for part in parts if isinstance(part, np.ndarray))
    return found.nbytes if isinstance(found, np.ndarray) else sum(_bytes(panel) for panel in found)
