"""Key-point files: one file for a folder of pictures, or one for each picture.

The first kind are JSON files of the data folders and of COCO and the tables of the person-image systems, the second
those of OpenPose and OpenFace; see `annotations`. A figure is a list of float64 [J, 3] (x, y, confidence), see
`skeletons`.
"""

import json
import re
from pathlib import Path

import numpy as np

from gganjax.data import annotations, skeletons
from gganjax.errors import InputError

# What an entry of a picture may hold besides "hands": number of points, and how they become those that are used
_POINTS = dict(
    body18=(18, None), body17=(17, annotations.from_coco), body25=(25, annotations.from_openpose), face68=(68, None)
)  # fmt: skip
ENDINGS = (".json", ".csv")


def read_keypoints(path, name: str | None = None, *, parts: str = "auto") -> list[np.ndarray]:
    """Reads the figure of one picture.

    Args:
      path: a file of one of the formats of `read_figures`.
      name: the picture; None takes the only one of the file, as OpenPose and OpenFace write.
      parts: "hands", "body", "face" or "auto" (the first of these of which anything was found).

    Returns:
      List of float64 [J, 3]; empty where nothing was found.
    """
    _, figures = read_figures(path, parts=parts)
    if name is None and len(figures) == 1:
        return next(iter(figures.values()))
    if name not in figures:
        raise InputError(
            f"{path} holds key points of {len(figures)} pictures, but not of {name!r};"
            f" its first is {next(iter(figures), None)!r}."
        )
    return figures[name]


def read_figures(path, *, parts: str = "auto"):
    """Reads every figure of a file: ((height, width) of every picture or None, name -> figure).

    The file is JSON as in the data folders ({"images": {NAME: ...}}), of COCO or of OpenPose, or a CSV file: a table
    `name:keypoints_y:keypoints_x` or OpenFace's. Where a file is of one picture, its figure bears the file's name.
    """
    if Path(path).suffix.lower() == ".csv":
        if _is_openface(path):
            return None, {Path(path).stem: _chosen(annotations.openface_figure(path), parts)}
        return None, {name: _chosen(figure, parts) for name, figure in annotations.table_figures(path).items()}
    content = _load(path)
    if "people" in content:
        name = Path(path).name.removesuffix("_keypoints.json")
        return None, {name: _chosen(annotations.openpose_figure(content, path), parts)}
    if isinstance(content["images"], list):
        return None, {name: _chosen(figure, parts) for name, figure in annotations.coco_figures(content, path).items()}
    return _folder_figures(content, path, parts)


def read_openpose_folder(folder: Path, names, *, parts: str = "auto") -> dict[str, list[np.ndarray]]:
    """Reads name -> figure from `STEM[_000000000000]_keypoints.json` files; pictures without a file are left out."""
    files = {}
    for path in sorted(folder.rglob("*_keypoints.json")):
        stem = path.relative_to(folder).as_posix().removesuffix("_keypoints.json")
        files.setdefault(stem, path)
        files.setdefault(re.sub(r"_\d{12}$", "", stem), path)
    return {
        name: _chosen(annotations.openpose_figure(_load(path), path), parts)
        for name in names
        if (path := files.get(name.rpartition(".")[0])) is not None
    }


def read_openface_folder(folder: Path, names, *, parts: str = "auto") -> dict[str, list[np.ndarray]]:
    """Reads name -> figure from `STEM.csv` files of OpenFace; pictures without a file are left out."""
    files = {name: (folder / name).with_suffix(".csv") for name in names}
    return {name: _chosen(annotations.openface_figure(path), parts) for name, path in files.items() if path.is_file()}


def read_people(path) -> dict[str, tuple[str, str]]:
    """Reads name -> (person, expression) from a file in the format of the data folders; {} where it says neither."""
    entries = {} if Path(path).suffix.lower() == ".csv" else _load(path).get("images", {})
    complete = lambda entry: isinstance(entry, dict) and {"person", "expression"} <= set(entry)
    if not isinstance(entries, dict) or not all(map(complete, entries.values())):
        return {}
    return {name: (str(entry["person"]), str(entry["expression"])) for name, entry in entries.items()}


def _load(path) -> dict:
    try:
        content = json.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"The key-point file {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(f"The key-point file {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not ("people" in content or _has_images(content)):
        raise InputError(
            f'The key-point file {path} must hold {{"images": {{NAME: ...}}}}, OpenPose\'s {{"people": [...]}}'
            ' or COCO\'s {"images": [...], "annotations": [...]}.'
        )
    return content


def _has_images(content: dict) -> bool:
    images = content.get("images")
    return isinstance(images, dict) or (isinstance(images, list) and isinstance(content.get("annotations"), list))


def _is_openface(path) -> bool:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return "x_67" in re.split(r"\s*,\s*", file.readline().strip())
    except OSError as error:
        raise InputError(f"The key-point file {path} cannot be read: {error.strerror or error}.") from error


def _folder_figures(content: dict, path, parts: str):
    size = content.get("image_size")
    if size is not None and not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)):
        raise InputError(f"image_size in the key-point file {path} must be [width, height], found {size!r}.")
    figures = {}
    for name, entry in content["images"].items():
        try:
            found = [hand["points"] for hand in entry.get("hands", ())]
            found += [_points(key, entry[key]) for key in _POINTS if key in entry]
            figures[name] = _chosen(skeletons.as_figure(found), parts)
        except InputError as error:
            raise InputError(f"{str(error).rstrip('.')} for {name} in the key-point file {path}.") from error
        except (AttributeError, TypeError, KeyError) as error:
            raise InputError(
                f'The entry of {name} in the key-point file {path} must be {{"hands": [{{"points": ...}}]}},'
                ' {"body18": ...}, {"body17": ...}, {"body25": ...} or {"face68": ...}.'
            ) from error
    for name in content.get("poor", ()):  # looked at, but nothing was found that could be trusted
        figures.setdefault(name, [])
    return (None if size is None else (size[1], size[0])), figures


def _points(key: str, points) -> list:
    """The points of one entry in the order that is used; an InputError says which number of them was expected."""
    count, convert = _POINTS[key]
    if len(points) != count:
        raise InputError(f"{key} must hold {count} points, found {len(points)}.")
    if convert is None:
        return points
    array = np.asarray(points, np.float64)
    if array.shape == (count, 2):
        array = np.concatenate([array, np.ones((count, 1))], axis=1)
    if array.shape != (count, 3):
        raise InputError(f"{key} must hold x, y[, confidence] of {count} points, found an array of shape {array.shape}.")
    return convert(array)


def _chosen(figure, parts: str) -> list[np.ndarray]:
    found = {
        part: [joints for joints in figure if len(joints) == count and (joints[:, 2] > 0).any()]
        for part, count in dict(hands=21, body=18, face=68).items()
    }
    return (found["hands"] or found["body"] or found["face"]) if parts == "auto" else found[parts]
