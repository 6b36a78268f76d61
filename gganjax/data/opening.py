"""`open_source`: from the data settings to a checked set of pairs."""

from gganjax.data import drawn, folders, strips
from gganjax.data import settings as settings_module
from gganjax.data.source import Source
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
    if settings.kind == "tfds":
        from gganjax.data import prepared  # importing tensorflow-datasets takes a second that the other kinds need not wait

        return prepared.open_prepared(settings, split, size=size)
    kinds = {"drawn": drawn.open_drawn, "strips": strips.open_strips, "folder": folders.open_folder}
    return kinds[settings.kind](settings, split, size=size)
