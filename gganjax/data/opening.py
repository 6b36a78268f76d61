"""`open_source`: from the data settings to a checked set of pairs or sequences."""

from gganjax.data import attributes, domains, drawn, folders, labels, strips
from gganjax.data import settings as settings_module
from gganjax.data.hands import Dice
from gganjax.data.source import Names, Side, Source
from gganjax.errors import InputError

PAIRS = {"strips": strips.open_strips, "folder": folders.open_folder, "labels": labels.open_labels}
UNRELATED = {
    "unpaired": domains.open_domains, "domains": domains.open_domains, "attributes": attributes.open_attributes,
}  # fmt: skip


def open_source(settings, split: str) -> Source:
    """Opens one split ("train" or "test") and verifies every file of it.

    Training pictures have load_size, to be cropped later; test pictures have crop_size at once, unless test_crop is "random".

    Raises:
      InputError: anything that is wrong with the settings or the files.
    """
    settings = settings_module.resolve(settings)
    if split not in ("train", "test"):
        raise InputError(f"The split must be 'train' or 'test', found {split!r}.")
    size = settings.crop if split == "test" and settings.test_crop == "resize" else settings.load
    if settings.kind in settings_module.SEQUENCES:
        source = _open_sequences(settings, split)
    elif settings.kind == "drawn":
        source = drawn.open_drawn(settings, split, size=size)
    else:
        folder = settings.test_split if split == "test" else "train"
        if settings.kind == "tfds":
            from gganjax.data import prepared  # importing tensorflow-datasets takes a second that the other kinds need not wait

            source = prepared.open_prepared(settings, folder, size=size)
        elif settings.kind in UNRELATED:
            source = UNRELATED[settings.kind](settings, folder, size=size, training=split == "train")
        else:
            source = PAIRS[settings.kind](settings, folder, size=size)
    source = source if settings.share >= 1 else take_share(source, settings.share)
    return source.exchanged() if settings.exchange and settings.kind not in UNRELATED else source


def _open_sequences(settings, split: str) -> Source:
    """Opens music and dances; reading sound imports what pictures need not wait for."""
    from gganjax.data import dances, mdvs, recordings

    if settings.kind == "dances":
        return dances.open_dances(settings, split)
    kind = dict(mdvs=mdvs.open_mdvs, recordings=recordings.open_recordings)[settings.kind]
    return kind(settings, settings.test_split if split == "test" else "train")


def take_share(source: Source, share: float) -> Source:
    """A part of the pairs, and of each side of unrelated ones: drawn at random, always the same, in their old order."""
    chosen = _chosen(len(source), share)
    part = source.part(chosen, dict(source.describe(), pairs=len(chosen)))
    part.sides = source.sides and tuple(_part(side, share) for side in source.sides)
    return part


def _part(side: Side, share: float) -> Side:
    chosen = _chosen(len(side.names), share)
    return Side(Names(len(chosen), lambda index: side.names[chosen[index]]), lambda index: side.load(chosen[index]))


def _chosen(count: int, share: float) -> list[int]:
    dice = Dice(0)
    return sorted(sorted(range(count), key=lambda _: dice.between(0, 1))[: max(round(share * count), 1)])
