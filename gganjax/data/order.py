"""Numbered pairs to batches: the order and every augmentation are a pure function of (seed, batch number).

Nothing depends on how many threads read, on where an iterator started, or on how many processes share a batch:
process p of P takes the p-th block of rows of each global batch, and the augmentation of a row is drawn from its
place in the global order. Every epoch has its own order; a batch may span the border of two epochs. Where source and
target are unrelated, each side has an order, and epochs, of its own.
"""

from collections.abc import Collection, Mapping

import grain
import numpy as np

from gganjax.data import augment
from gganjax.data import settings as settings_module
from gganjax.data.source import Side, Source, raw_sample
from gganjax.errors import InputError

FRAMED = ("audio", "poses", "frames", "skeletons")  # fields of some frames


def steps_per_epoch(source: Source, batch_size: int) -> int:
    """The number of batches in which every pair has come up once."""
    return -(-len(source) // batch_size)


def shuffled(count: int, seed: int, stream: int = 0) -> grain.MapDataset:
    """The endless order of `count` pairs; another permutation each epoch, and another for each stream of one seed."""
    # Not repeat(): its length, 2**63 - 1, overflows in batches of one row.
    return grain.MapDataset.range(count).shuffle(seed=_mix(seed, stream)).repeat(2**62 // count)


def train_batches(
    source: Source,
    settings,
    *,
    batch_size: int,
    seed: int,
    start: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    fields: Collection[str] | None = None,
):
    """Endless training batches; the first that comes out is batch number `start`.

    Args:
      source: what `open_source` returned.
      settings: `config.data`.
      batch_size: rows of the global batch.
      seed: of the order and the augmentations.
      start: number of the first batch.
      process_index, process_count: which rows of the global batch are this process's.
      fields: what a method needs of a batch, see `augment.apply`.

    Returns:
      A `Batches` iterator of dicts: source, target uint8 [B, H, W, 3], name, a list of B, and what else
      `augment.apply` makes; of sequences what `sequences.open_sequences` says.
    """
    settings = settings_module.resolve(settings)
    if batch_size < 1 or batch_size % process_count:
        raise InputError(
            f"config.batch_size must be a multiple of the number of processes ({process_count}), found {batch_size}."
        )
    if seed < 0:
        raise InputError(f"config.seed must not be negative, found {seed}.")
    _check_fields(source, fields)
    flip = settings.flip == "on" or (settings.flip == "auto" and not source.mirrored)

    def finish(sample, rng):
        if source.sequence:
            return sample
        chosen = augment.draw(
            rng, load_size=source.size, crop_size=settings.crop, flip=flip, whole_range=settings.whole_range)
        return _apply(sample, chosen, settings, fields)

    sides = source.sides if source.sides or settings.paired else _sides(source)
    if sides is None:
        read = (lambda index: source.sequence(index, fields)) if source.sequence else source.__getitem__
        samples = shuffled(len(source), seed).map(read)
    else:
        orders = [shuffled(len(side.names), seed, stream) for stream, side in enumerate(sides)]
        orders = [order[: min(map(len, orders))] for order in orders]  # zip wants equal lengths; all are about 2**62
        samples = grain.experimental.ZipMapDataset(orders).map(lambda places: _unrelated(sides, places))
    rows = samples.random_map(finish, seed=_mix(seed, 2))
    blocks = rows.batch(batch_size // process_count, batch_fn=_stack)
    return Batches(blocks[process_index::process_count], settings, start)


def test_batches(
    source: Source, settings, *, batch_size: int, limit: int | None = None, fields: Collection[str] | None = None
):
    """The pairs of a test source in order, each once; the last batch is filled up by repeating its last pair.

    Returns:
      A `Batches` iterator as of `train_batches`, with `valid` bool [B]: False where a row only fills up.
    """
    settings = settings_module.resolve(settings)
    _check_fields(source, fields)
    count = min(len(source), limit) if limit else len(source)

    def finish(index, rng):
        if source.sequence:
            return dict(source.sequence(min(index, count - 1), fields), valid=index < count)
        sample = source[min(index, count - 1)]
        chosen = augment.draw(
            rng, load_size=source.size, crop_size=settings.crop, flip=False, whole_range=settings.whole_range)
        return dict(_apply(sample, chosen, settings, fields), valid=index < count)

    padded = -(-count // batch_size) * batch_size
    rows = grain.MapDataset.range(padded).random_map(finish, seed=0)
    return Batches(rows.batch(batch_size, batch_fn=_stack), settings, 0)


class Batches:
    """An iterator over batches that reads ahead in threads; `close` (or leaving a `with` block) ends them."""

    def __init__(self, batches: grain.MapDataset, settings, start: int):
        options = grain.ReadOptions(num_threads=settings.threads, prefetch_buffer_size=settings.prefetch)
        self._iterator = iter(batches.to_iter_dataset(options))
        self._iterator.set_state({"next_index": start})
        self._iterator.start_prefetch()  # reading goes on while the first step compiles

    def __iter__(self):
        return self

    def __next__(self) -> dict:
        try:
            return next(self._iterator)
        except InputError as error:  # a file turned bad; grain adds lines of its own to what its threads raise
            self.close()
            raise InputError(str(error).splitlines()[0]) from error

    def close(self) -> None:
        """Ends the reading threads; no batch can be taken afterwards."""
        self._iterator.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()


def _check_fields(source: Source, fields) -> None:
    """Refuses fields that a method needs and the set lacks, sequences of another length, and classes that are too many.

    fields: names, or what a method says of them by name, whose `high` is then the highest class that it takes.
    """
    for name in fields or ():
        if name in source.absent:
            raise InputError(f"The method needs '{name}', which the data lack: {source.absent[name]}")
        length = fields[name].shape[1] if isinstance(fields, Mapping) and name in FRAMED else None
        if length is not None and source.sequence and length != source.describe()["frames"]:
            raise InputError(
                f"The method takes {length} frames of '{name}' (config.options.frames), but config.data.frames is"
                f" {source.describe()['frames']}."
            )
        taken = fields[name].high if isinstance(fields, Mapping) and name in ("labels", *augment.CLASSES) else None
        if taken is not None and source.classes is not None and source.classes.highest > taken:
            unknown = " (unknown pixels)" * (source.classes.unknown is not None)
            raise InputError(
                f"The data hold '{name}' from 0 to {source.classes.highest}{unknown}, but the method takes 0 to {taken:g}:"
                " config.data and config.options must agree on the classes."
            )


def _apply(sample, chosen, settings, fields):
    return augment.apply(
        sample, chosen, crop_size=settings.crop, style=settings.guidance, line_width=settings.line_width,
        masks=settings.masks, fields=fields,
    )  # fmt: skip


def _sides(source: Source) -> tuple[Side, Side]:
    """The sources and the targets of a set of pairs, each as a side of its own."""
    return tuple(Side(source.names, lambda index, place=place: source.load(index)[place]) for place in (0, 1))


def _unrelated(sides: tuple[Side, Side], places) -> dict:
    """A picture of one side beside one of the other."""
    panels = [side.load(place) for side, place in zip(sides, places, strict=True)]
    return raw_sample(*panels, "+".join(side.names[place] for side, place in zip(sides, places, strict=True)))


def _stack(rows) -> dict:
    return {key: [row[key] for row in rows] if key == "name" else np.stack([row[key] for row in rows]) for key in rows[0]}


def _mix(seed: int, stream: int) -> int:
    # Epoch e shuffles with seed + e: neighboring seeds would give the same orders one epoch apart, so they are scattered.
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])
