"""Where sets of label maps keep their files: the layouts of the published sets, and a plain one.

    layout        label maps, beside them photos, instance maps and edge pictures       classes
    plain         SPLIT/labels, SPLIT/images, SPLIT/instances, SPLIT/edges              as config.data.classes says
    cityscapes    gtFine/SPLIT/CITY/*_gtFine_labelIds.png, *_gtFine_instanceIds.png,    35 label ids
                  leftImg8bit/SPLIT/CITY/*_leftImg8bit.png, edge/SPLIT
    ade20k        any tree: *.png and *.jpg with _train_ or _val_ in the path, or       150 and unknown
                  annotations/SPLIT, images/SPLIT, edges/SPLIT
    coco          SPLIT_label, SPLIT_img, SPLIT_inst, SPLIT_edge, and                   182 and unknown
                  train_label_portrait, ... likewise, for training
    facades       SPLIT_label, SPLIT_img, SPLIT_edge                                    13
    deepfashion   the same: human parsing                                               20
    celebamask    labels/SPLIT_label, images/SPLIT_img, edges/SPLIT_edge                19

The plain layout also takes label, img, inst and edge. Files belong together whose stems are equal; in Cityscapes the
first three parts between underscores. Instance maps and edge pictures may be missing.

Sizes are those of any other set. What SPADE's loaders call "resize_and_crop" is a load_size above the crop_size, with
whole_range; "fixed", Cityscapes', is both sizes alike: 256, and 512 wide.
"""

from pathlib import Path
from typing import NamedTuple

from gganjax.data import verify
from gganjax.data.settings import Settings
from gganjax.errors import InputError

PARTS = dict(labels="The labels", images="The photos", instances="The instance maps", edges="The edge pictures")
OPTIONAL = ("instances", "edges")


class Layout(NamedTuple):
    """One layout.

    Attributes:
      places: part -> the folders it may be in, for the name of the split; the first that exists is taken.
      classes: of its labels, unknown not counted; 0 where the settings say how many.
      unknown: whether it has unknown pixels.
      train, test: names of the splits.
      endings: part -> how the file names end, where a folder holds several parts.
      shared: how many parts between underscores the names of one sample share; 0 for the whole stem.
      deep: whether files are in folders of their own below those of the places.
      smaller: whether label maps may be smaller than their photos, in proportion.
    """

    places: dict[str, tuple[str, ...]]
    classes: int = 0
    unknown: bool = False
    train: str = "train"
    test: str = "val"
    endings: dict[str, str] = {}
    shared: int = 0
    deep: bool = False
    smaller: bool = False


def _flat(labels: str, images: str, edges: str, instances: str = "") -> dict[str, tuple[str, ...]]:
    return dict(labels=(labels,), images=(images,), edges=(edges,)) | (dict(instances=(instances,)) if instances else {})


_PAIRS = _flat("{}_label", "{}_img", "{}_edge")
_ADE20K = dict(labels=".png", images=".jpg")
LAYOUTS = {
    "plain": Layout(
        dict(
            labels=("{}/labels", "{}/label"), images=("{}/images", "{}/img"),
            instances=("{}/instances", "{}/inst"), edges=("{}/edges", "{}/edge"),
        ),
        test="test",
    ),
    "cityscapes": Layout(
        _flat("gtFine/{}", "leftImg8bit/{}", "edge/{}", "gtFine/{}"), 35, shared=3, deep=True,
        endings=dict(labels="_gtFine_labelIds.png", instances="_gtFine_instanceIds.png", images="_leftImg8bit.png"),
    ),
    "ade20k": Layout(
        _flat("annotations/{}", "images/{}", "edges/{}"), 150, True, train="training", test="validation", endings=_ADE20K,
    ),
    "coco": Layout(_flat("{}_label", "{}_img", "{}_edge", "{}_inst"), 182, True),
    "facades": Layout(_PAIRS, 13),
    "deepfashion": Layout(_PAIRS, 20),
    # The masks of CelebAMask-HQ are 512x512, its photos 1024x1024.
    "celebamask": Layout(_flat("labels/{}_label", "images/{}_img", "edges/{}_edge"), 19, test="test", smaller=True),
}  # fmt: skip
TREE = Layout(_flat("", "", "edges/{}"), 150, True, train="train", test="val", endings=_ADE20K, deep=True)  # ADE20K's other form


class Files(NamedTuple):
    """The files of one sample as paths below the root; None where there is none."""

    labels: str
    images: str
    instances: str | None = None
    edges: str | None = None


class Listing(NamedTuple):
    """The samples of a split.

    Attributes:
      files: key -> files of a sample, sorted.
      missing: part -> one sentence for each of OPTIONAL that not every sample has.
    """

    layout: Layout
    files: dict[str, Files]
    missing: dict[str, str]


def find(settings: Settings, split: str) -> Listing:
    """Lists the samples of a split: "train", "test" (whatever the layout calls it) or the name of another one.

    Raises:
      InputError: a folder is missing or empty, or a label map or photo has no counterpart.
    """
    root, layout, phase = _of(settings, split)
    places = [{part: _place(root, layout, part, phase) for part in layout.places}]
    if settings.layout == "coco" and split == "train" and (root / "train_label_portrait").is_dir():
        places.append({part: f"{place}_portrait" for part, place in places[0].items()})
    found, missing = {part: {} for part in PARTS}, {}
    for part in PARTS:
        if part not in layout.places:
            missing[part] = f"{PARTS[part]} of {split} are missing: the layout {settings.layout!r} has none."
        for place in places if part in layout.places else ():
            try:
                found[part] |= _list(root, place[part], layout, part, settings, split, phase)
            except InputError as error:
                if part not in OPTIONAL:
                    raise
                missing[part] = str(error)
    for part, other in (("labels", "images"), ("images", "labels")):
        for key in sorted(found[part].keys() - found[other].keys()):
            raise InputError(
                f"{root / found[part][key]} has no counterpart: expected a picture {key} in {root / places[0][other]}."
            )
    for part in OPTIONAL:
        for key in sorted(found["labels"].keys() - found[part].keys()):
            where = root / (places[0].get(part) or "")
            missing.setdefault(part, f"{root / found['labels'][key]} has no counterpart: expected a picture {key} in {where}.")
    files = {key: Files(*[found[part].get(key) for part in PARTS]) for key in sorted(found["labels"])}
    return Listing(layout, files, missing)


def holds(settings: Settings, split: str) -> bool:
    """Whether there is any label map of the split."""
    root, layout, phase = _of(settings, split)
    try:
        return bool(_list(root, _place(root, layout, "labels", phase), layout, "labels", settings, split, phase))
    except InputError:
        return False


def _of(settings: Settings, split: str) -> tuple[Path, Layout, str]:
    """The root of a set, its layout, and what this calls the split."""
    root, layout = Path(settings.folder), LAYOUTS[settings.layout]
    if settings.layout == "ade20k" and not (root / "annotations").is_dir():
        layout = TREE
    return root, layout, dict(train=layout.train, test=layout.test).get(split, split)


def _place(root: Path, layout: Layout, part: str, phase: str) -> str:
    """The folder of a part: the first that exists, or the first that may."""
    places = [place.format(phase) for place in layout.places[part]]
    return next((place for place in places if (root / place).is_dir()), places[0])


def _list(root: Path, folder: str, layout: Layout, part: str, settings: Settings, split: str, phase: str) -> dict[str, str]:
    """Key -> path of the files of one part."""
    tree = layout is TREE and part != "edges"
    names = verify.find(
        root, folder, settings.only, holds=f"{PARTS[part]} of {split}", ending=layout.endings.get(part, ""), deep=layout.deep,
        within=f"_{phase}_" if tree else "",
    )  # fmt: skip
    names = [name for name in names if not (tree and name.startswith("edges/"))]
    return {_key(Path(name).stem, layout.shared): name for name in names}


def _key(stem: str, shared: int) -> str:
    return "_".join(stem.split("_")[:shared]) if shared else stem
