"""`open_source`: from the data settings to a checked set of pairs."""

from gganjax.data import drawn, folders, strips
from gganjax.data import settings as settings_module
from gganjax.data.hands import Dice
from gganjax.data.source import Names, Source
from gganjax.errors import InputError


def open_source(settings, split: str) -> Source:
    """Opens one split ("train" or "test") and verifies every file of it.

    Training pictures have load_size, to be cropped later; test pictures have crop_size at once, unless test_crop is "random".

    Raises:
      InputError: anything that is wrong with the settings or the files.
    """
    settings = settings_module.resolve(settings)
    if split not in ("train", "test"):
        raise InputError(f"The split must be 'train' or 'test', found {split!r}.")
    size = settings.crop_size if split == "test" and settings.test_crop == "resize" else settings.load_size
    if settings.kind == "drawn":
        source = drawn.open_drawn(settings, split, size=size)
    else:
        folder = settings.test_split if split == "test" else "train"
        if settings.kind == "tfds":
            from gganjax.data import prepared  # importing tensorflow-datasets takes a second that the other kinds need not wait

            source = prepared.open_prepared(settings, folder, size=size)
        else:
            kinds = {"strips": strips.open_strips, "folder": folders.open_folder}
            source = kinds[settings.kind](settings, folder, size=size)
    return source if settings.share >= 1 else take_share(source, settings.share)


def take_share(source: Source, share: float) -> Source:
    """A part of the pairs, drawn at random, the same ones every time, in their old order."""
    dice = Dice(0)
    count = max(round(share * len(source)), 1)
    chosen = sorted(sorted(range(len(source)), key=lambda _: dice.between(0, 1))[:count])
    names = Names(count, lambda index: source.names[chosen[index]])
    facts = dict(source.describe(), pairs=count)
    return Source(names, lambda index: source.load(chosen[index]), facts, size=source.size, mirrored=source.mirrored)
