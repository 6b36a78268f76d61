"""The data settings of a config: every field, its default, and the check of its value."""

import dataclasses
import os

from gganjax.errors import InputError, nearest

CHOICES = dict(
    kind=("drawn", "strips", "folder", "tfds", "labels", "unpaired", "domains", "attributes", "dances",
          "mdvs", "recordings"),
    flip=("auto", "on", "off"),
    resize=("bicubic", "bilinear"),
    guidance=("white", "fingers", "dots", "heatmaps", "disks", "deltas"),
    masks=("pg2", "person"),
    keypoints=("auto", "json", "table", "openpose", "openface", "pictures"),
    parts=("auto", "hands", "body", "face"),
    pairs=("auto", "neutral", "all"),
    panels=("auto", "two", "source_first", "target_first", "six"),
    class_resize=("nearest", "bicubic"),
    layout=("plain", "cityscapes", "ade20k", "coco", "facades", "deepfashion", "celebamask"),
    unknown=("auto", "on", "off"),
    edges=("auto", "pictures", "canny"),
    test_crop=("resize", "random"),
    bad_files=("stop", "skip"),
)
SEQUENCES = ("dances", "mdvs", "recordings")  # kinds of sound and motion, neither cropped nor mirrored
MAPS = ("heatmaps", "disks", "deltas")  # guidance of a channel for each joint of a body


@dataclasses.dataclass(frozen=True)
class Settings:
    """What `config.data` holds."""

    # "drawn" (embedded hands), "strips" (panels side by side), "folder" (pictures, pairs, key points), "tfds"
    # (prepared), "labels" (label maps and photos), "unpaired" (two domains), "domains" (a folder each), "attributes"
    # (CelebA's list), "dances" (embedded music and dancers), "mdvs" (JSON files of sound and joints), "recordings"
    # (videos or frames, sound and key points)
    kind: str = "drawn"
    folder: str = ""  # root folder of the set, with train/ and test/ inside; for "tfds" the prepared folder
    test_split: str = "test"  # name of the test pictures in that folder, e.g. "test_unseen"; "train" to look at a set without any
    only: str = ""  # take only pairs whose source file name starts with this, of sets without pairs pictures ("" = all)
    share: float = 1.0  # part of the pairs to take, at random but always the same ones (1/3 in the Dayton ablation)
    exchange: bool = False  # source and target exchanged: the other direction of a set of pairs or of two domains
    # Names of folders or attributes in the order of label vectors; "unpaired": (source, target); of dances the styles in the
    # order of their labels, none for all that are found
    domains: tuple = ()
    test_lines: int = 1999  # "attributes": that many lines of the shuffled list are the test split (StarGAN's number)
    center_crop: int = 0  # height of the middle that is cut out of every file first; 0 = whole files
    center_crop_width: int = 0  # ... and width; 0 = square. DeepFashion: 256 and 176 (columns 40 to 215 of 256x256 files)
    resize: str = "bicubic"  # filter by which pictures are resized: "bicubic" or "bilinear"
    load_size: int = 286  # height to which every panel is resized before the crop
    load_width: int = 0  # ... and width; 0 = square
    crop_size: int = 256  # height that the networks see
    crop_width: int = 0  # ... and width; 0 = square
    # Whether a crop may lie at the far end, as SPADE's loaders draw it; the others' draw one place less in each direction
    whole_range: bool = False
    flip: str = "auto"  # mirror half of the training pairs: "on", "off", "auto" (on unless the set stores *_AB_lr copies)
    # What is made of key points: "white" lines (thesis), "fingers" (a color for each finger or limb), "dots" (C2GAN's
    # landmarks), or a channel for each joint of a body: "heatmaps" (Gaussians), "disks" (PG2), "deltas" (one pixel)
    guidance: str = "white"
    # Width of lines or diameter of dots in pixels of crop_size; 0 = 4 at 256 (thesis) and in proportion, at least 1.
    # For maps of joints the Gaussians' sigma or the disks' radius; 0 = 6 or 4 pixels at every size, as published
    line_width: float = 0.0
    masks: str = "pg2"  # masks of bodies, where a method uses them: "pg2" (its training) or "person" (those of scores)
    # Where a folder keeps its guidance: "json", "table" (name:keypoints_y:keypoints_x), "openpose", "openface",
    # "pictures" or "auto" (the first of these that exists); see folders.py
    keypoints: str = "auto"
    parts: str = "auto"  # which key points: "hands", "body", "face" or "auto" (the first that the picture has)
    # Pairs of a folder without a list of them, of pictures of one person: "neutral" (from the neutral face to every
    # other), "all" (every ordered couple); "auto" is the list, or "neutral" where there is none
    pairs: str = "auto"
    # Strips: "two" (source, target), "source_first" (source, target, source guidance, target guidance), "target_first"
    # (source, target, target guidance, source guidance: the released Radboud strips), "six" (as "source_first", and then
    # source classes and target classes: LGGAN's), "auto" ("two", "source_first" or "six", by their shape)
    panels: str = "auto"
    class_resize: str = "nearest"  # filter for class panels of strips; "bicubic" is LGGAN's, which makes false and void classes
    layout: str = "plain"  # "labels": where the files are, see layouts.py
    classes: int = 0  # "labels": number of classes, unknown not counted; 0 = as the layout has
    unknown: str = "auto"  # "labels": whether 255 (or the number of classes) marks unknown pixels; "auto" = as the layout has
    # "labels": real edges, where a method learns them: "pictures", "canny" (of the photos; see edges.py) or "auto"
    # (pictures where the set has them)
    edges: str = "auto"
    palette: str = "auto"  # "labels": colors of the classes, a name of palettes.PALETTES or a CSV file of red,green,blue
    paired: bool = True  # False: source and target come in independent orders (unpaired ablation)
    test_crop: str = "resize"  # test pictures: "resize" to crop_size, or "random" crops as the released evaluation
    bad_files: str = "stop"  # pictures that cannot be read: "stop" before step 1, or "skip" their pairs and report them
    people: int = 120  # drawn set and embedded dances: people in the training split
    test_people: int = 24  # ... and in the test split, none of whom is in the training split
    poses: int = 12  # drawn set: pictures of each person; each ordered couple of them is a pair
    dances: int = 4  # embedded dances: of each dancer, 10 s each; the styles go round
    frames: int = 50  # dances: frames of a sample, ten a second; what config.options.frames of the method says
    hop: int = 0  # dances: frames from the beginning of a sample to that of the next; 0 = as long as a sample, no overlap
    # "mdvs" without folders train/ and test/: the part of the videos of each file, its last ones, that is the test split
    test_share: float = 0.1
    frame_rate: float = 0.0  # "recordings": frames a second of frame folders and key points where their files do not say it
    threads: int = 2  # threads that read, decode and augment
    prefetch: int = 4  # batches kept ready
    memory: int = 512  # MiB of decoded pictures and sound kept for the next time they are needed

    @property
    def center(self) -> tuple[int, int]:
        """(height, width) of the middle that is cut out of every file, 0 for the whole of it."""
        return self.center_crop, self.center_crop_width or self.center_crop

    @property
    def crop(self) -> tuple[int, int]:
        """(height, width) that the networks see."""
        return self.crop_size, self.crop_width or self.crop_size

    @property
    def load(self) -> tuple[int, int]:
        """(height, width) of every panel before the crop."""
        return self.load_size, self.load_width or self.load_size


DEFAULTS = dataclasses.asdict(Settings())


def crop_of(settings) -> tuple[int, int]:
    """(height, width) that the networks see, of a mapping that may come from an older version."""
    return settings["crop_size"], settings.get("crop_width") or settings["crop_size"]


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
        if isinstance(default, tuple):
            given[key] = _words(key, value)
            continue
        wanted = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(default, bool):
            raise InputError(f"config.data.{key} must be of type {type(default).__name__}, found {value!r}.")
    checked = Settings(**given)
    for key, choices in CHOICES.items():
        value = getattr(checked, key)
        if value not in choices:
            raise InputError(f"config.data.{key} must be one of {', '.join(choices)}, found {value!r}.")
    lowest = dict(
        load_size=1, crop_size=1, load_width=0, crop_width=0, center_crop=0, center_crop_width=0, test_lines=1, people=1,
        test_people=1, poses=2, threads=1, prefetch=1, memory=0, line_width=0, share=0.0, classes=0, dances=1, frames=1,
        hop=0, test_share=0.0, frame_rate=0.0,
    )  # fmt: skip
    for key, low in lowest.items():
        if getattr(checked, key) < low:
            raise InputError(f"config.data.{key} must be at least {low}, found {getattr(checked, key)}.")
    if checked.load_size < checked.crop_size:
        raise InputError(
            f"config.data.load_size must not be smaller than config.data.crop_size ({checked.crop_size}),"
            f" found {checked.load_size}."
        )
    if checked.load[1] < checked.crop[1]:
        raise InputError(
            f"config.data.load_width (0 = config.data.load_size) must not be smaller than the width of the crop"
            f" ({checked.crop[1]}), found {checked.load[1]}."
        )
    if checked.classes >= 255:
        raise InputError(f"config.data.classes must be below 255, found {checked.classes}.")
    if checked.kind not in ("drawn", "dances") and not checked.folder:
        raise InputError(
            f"config.data.folder must name the folder of the data set when config.data.kind is {checked.kind!r}, found nothing."
        )
    if checked.exchange and checked.kind in ("domains", "attributes"):
        raise InputError(f"config.data.exchange is for sets of two sides, but config.data.kind is {checked.kind!r}.")
    if checked.kind in SEQUENCES and (checked.exchange or not checked.paired):
        key = "exchange" if checked.exchange else "paired"
        raise InputError(f"config.data.{key} is for sets of two sides, but config.data.kind is {checked.kind!r}.")
    if checked.guidance in MAPS:
        if checked.kind == "drawn" or checked.parts not in ("auto", "body"):
            found = "the drawn set has hands" if checked.kind == "drawn" else f"config.data.parts is {checked.parts!r}"
            raise InputError(f"config.data.guidance {checked.guidance!r} is of the joints of a body, but {found}.")
        checked = dataclasses.replace(checked, parts="body")
    return checked


def _words(key: str, value) -> tuple[str, ...]:
    if not isinstance(value, (tuple, list)) or not all(isinstance(word, str) and word for word in value):
        raise InputError(f"config.data.{key} must be a tuple of names, found {value!r}.")
    if len(set(value)) < len(value):
        raise InputError(f"config.data.{key} must not name anything twice, found {', '.join(value)}.")
    return tuple(value)
