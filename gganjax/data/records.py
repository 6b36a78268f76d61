"""What all prepared sets share: tensorflow-datasets sets of two parts in the array_record format.

A builder class has a configuration for each part, the pictures first and what is read often last; of the latter the
metadata are those of the set.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow_datasets as tfds

from gganjax.data.labels import PREPARED
from gganjax.data.settings import Settings
from gganjax.errors import InputError

FOLDERS = ("guided_pairs", PREPARED)  # of the kinds of sets, the names of their builders


def check_splits(settings: Settings, splits: Sequence[str]) -> None:
    """Refuses a folder without any split."""
    if not splits:
        raise InputError(
            f"{settings.folder} holds no data set: expected the folder train or {settings.test_split} in it."
        )


def write(builder: type, listings: dict, out: Path) -> None:
    """Writes both parts of a set from its listings {split: listing}."""
    how = tfds.download.DownloadConfig(compute_stats=tfds.download.ComputeStatsMode.SKIP)
    for part in builder.BUILDER_CONFIGS:
        one = builder(listings=listings, data_dir=str(out), config=part.name, file_format="array_record")
        one.download_and_prepare(download_config=how)


def parts(settings: Settings, split: str, builder: type) -> tuple[Path, list, dict]:
    """The folder of a prepared set, the data sources of a split's two parts, pictures undecoded, and its metadata."""
    root = Path(settings.folder) / builder.name
    if not root.is_dir():
        raise InputError(
            f"{settings.folder} holds no prepared set: expected the folder {' or '.join(FOLDERS)} in it (made by"
            " tools/prepare_set.py)."
        )
    try:
        found = [tfds.builder_from_directory(str(root / part.name / "1.0.0")) for part in builder.BUILDER_CONFIGS]
        splits = found[-1].info.splits
        if split not in splits:
            raise InputError(f"The prepared set in {settings.folder} has no {split} split, only {', '.join(splits)}.")
        sources = []
        for one in found:
            pictures = [key for key, feature in one.info.features.items() if isinstance(feature, tfds.features.Image)]
            raw = {key: tfds.decode.SkipDecoding() for key in pictures}
            sources.append(one.as_data_source(split, decoders=raw or None))
        return root, sources, found[-1].info.metadata[split]
    except (OSError, ValueError, KeyError, tfds.core.DatasetNotFoundError) as error:
        if isinstance(error, InputError):
            raise
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"The prepared set in {settings.folder} cannot be read: {first}.") from error


def chosen_rows(settings: Settings, count: int, source_name: Callable[[int], str]) -> list[int] | range:
    """The pairs whose source file's name, a function of the row, starts as `config.data.only` says."""
    if not settings.only:
        return range(count)
    chosen = [row for row in range(count) if source_name(row).startswith(settings.only)]
    if not chosen:
        raise InputError(
            f"The prepared set in {settings.folder} holds no pairs whose source starts with {settings.only!r}"
            " (config.data.only)."
        )
    return chosen


def read(source, row: int, root: Path) -> dict:
    """One record of a part of a set."""
    try:
        return source[row]
    except Exception as error:  # array_record raises whatever its C++ side meets
        raise InputError(f"Picture {row} of the prepared set in {root} cannot be read any more: {error}.") from error
