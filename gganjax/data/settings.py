"""The data settings of a config: every field, its default, and the check of its value."""

import dataclasses
import os

from gganjax.errors import InputError, nearest

CHOICES = dict(
    kind=("drawn", "strips", "folder", "tfds"),
    flip=("auto", "on", "off"),
    guidance=("white", "fingers"),
    keypoints=("auto", "json", "openpose", "pictures"),
    parts=("auto", "hands", "body"),
    test_crop=("resize", "random"),
    bad_files=("stop", "skip"),
)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What `config.data` holds."""

    kind: str = "drawn"  # "drawn" (embedded hands), "strips" (A|B|C|D), "folder" (pictures, pairs, key points), "tfds" (prepared)
    folder: str = ""  # root folder of the set, with train/ and test/ inside; for "tfds" the prepared folder
    test_split: str = "test"  # name of the test pictures in that folder, e.g. "test_unseen"; "train" to look at a set without any
    only: str = ""  # take only pairs whose source file name starts with this ("" = all)
    share: float = 1.0  # part of the pairs to take, at random but always the same ones (1/3 in the Dayton ablation)
    load_size: int = 286  # height and width to which every panel is resized before the crop
    crop_size: int = 256  # height and width that the networks see
    flip: str = "auto"  # mirror half of the training pairs: "on", "off", "auto" (on unless the set stores *_AB_lr copies)
    guidance: str = (
        "white"  # skeletons drawn from key points: "white" lines (thesis) or "fingers" (a color for each finger or limb)
    )
    line_width: float = 0.0  # width of these lines in pixels of crop_size; 0 = 4 at 256 (thesis) and in proportion, at least 1
    keypoints: str = (
        "auto"  # where a folder keeps its guidance: "json", "openpose", "pictures" or "auto" (the first of these that exists)
    )
    parts: str = (
        "auto"  # which key points are drawn: "hands", "body" or "auto" (hands where the picture has any, otherwise the body)
    )
    paired: bool = True  # False: source and target come in independent orders (unpaired ablation)
    test_crop: str = "resize"  # test pictures: "resize" to crop_size, or "random" crops as the released evaluation
    bad_files: str = "stop"  # pictures that cannot be read: "stop" before step 1, or "skip" their pairs and report them
    people: int = 120  # drawn set: people in the training split
    test_people: int = 24  # drawn set: people in the test split, none of whom is in the training split
    poses: int = 12  # drawn set: pictures of each person; each ordered couple of them is a pair
    threads: int = 2  # threads that read, decode and augment
    prefetch: int = 4  # batches kept ready
    memory: int = 512  # MiB of decoded pictures kept for the next time they are needed


DEFAULTS = dataclasses.asdict(Settings())


def resolve(settings) -> Settings:
    """Returns the checked settings of a mapping; fields that it leaves out take their defaults.

    Raises:
      InputError: a key or value that is not known, or a size that makes no sense.
    """
    if isinstance(settings, Settings):
        return settings
    given = dict(settings)
    if isinstance(given.get("folder"), str):
        given["folder"] = os.path.expanduser(given["folder"])
    for key, value in given.items():
        if key not in DEFAULTS:
            raise InputError(f"config.data.{key} is not a setting{nearest(key, DEFAULTS)}.")
        default = DEFAULTS[key]
        wanted = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(default, bool):
            raise InputError(f"config.data.{key} must be of type {type(default).__name__}, found {value!r}.")
    checked = Settings(**given)
    for key, choices in CHOICES.items():
        value = getattr(checked, key)
        if value not in choices:
            raise InputError(f"config.data.{key} must be one of {', '.join(choices)}, found {value!r}.")
    lowest = dict(
        load_size=1, crop_size=1, people=1, test_people=1, poses=2, threads=1, prefetch=1, memory=0, line_width=0, share=0.0
    )
    for key, low in lowest.items():
        if getattr(checked, key) < low:
            raise InputError(f"config.data.{key} must be at least {low}, found {getattr(checked, key)}.")
    if checked.load_size < checked.crop_size:
        raise InputError(
            f"config.data.load_size must not be smaller than config.data.crop_size ({checked.crop_size}),"
            f" found {checked.load_size}."
        )
    if checked.kind != "drawn" and not checked.folder:
        raise InputError(
            f"config.data.folder must name the folder of the data set when config.data.kind is {checked.kind!r}, found nothing."
        )
    return checked
