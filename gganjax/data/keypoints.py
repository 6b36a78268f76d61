"""Key-point files: one JSON file for a folder of pictures, or OpenPose's one JSON file for each picture.

A figure is a list of float64 [J, 3] (x, y, confidence), see `skeletons`.
"""

import json
import re
from pathlib import Path

import numpy as np

from gganjax.data import skeletons
from gganjax.errors import InputError

# OpenPose's points that are kept: of 25 of a body all but the mid-hip and the feet, of 70 of a face all but the pupils
_KEPT = {25: (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18), 70: tuple(range(68))}


def read_keypoints(path, name: str | None = None, *, parts: str = "auto") -> list[np.ndarray]:
    """Reads the figure of one picture.

    Args:
      path: an OpenPose file, or a file in the format of the data folders ({"images": {NAME: ...}}).
      name: the picture; None takes the only one of the file, as an OpenPose file has.
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
    """Reads every figure of a file of either format: ((height, width) of every picture or None, name -> figure).

    The one figure of an OpenPose file bears the name of the file.
    """
    content = _load(path)
    if "people" in content:
        return None, {Path(path).name.removesuffix("_keypoints.json"): _chosen(_openpose_figure(content, path), parts)}
    return _folder_figures(content, path, parts)


def read_openpose_folder(folder: Path, names, *, parts: str = "auto") -> dict[str, list[np.ndarray]]:
    """Reads name -> figure from `STEM[_000000000000]_keypoints.json` files; pictures without a file are left out."""
    files = {}
    for path in sorted(folder.rglob("*_keypoints.json")):
        stem = path.relative_to(folder).as_posix().removesuffix("_keypoints.json")
        files.setdefault(stem, path)
        files.setdefault(re.sub(r"_\d{12}$", "", stem), path)
    figures = {}
    for name in names:
        path = files.get(name.rpartition(".")[0])
        if path is not None:
            figures[name] = _chosen(_openpose_figure(_load(path), path), parts)
    return figures


def read_people(path) -> dict[str, tuple[str, str]]:
    """Reads name -> (person, expression) from a file in the format of the data folders; {} where it says neither."""
    entries = _load(path).get("images", {})
    if not all(isinstance(entry, dict) and {"person", "expression"} <= set(entry) for entry in entries.values()):
        return {}
    return {name: (str(entry["person"]), str(entry["expression"])) for name, entry in entries.items()}


def _load(path) -> dict:
    try:
        content = json.loads(Path(path).read_text())
    except OSError as error:
        raise InputError(f"The key-point file {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(f"The key-point file {path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not ("people" in content or isinstance(content.get("images"), dict)):
        raise InputError(f'The key-point file {path} must hold {{"images": {{NAME: ...}}}} or OpenPose\'s {{"people": [...]}}.')
    return content


def _folder_figures(content: dict, path, parts: str):
    size = content.get("image_size")
    if size is not None and not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)):
        raise InputError(f"image_size in the key-point file {path} must be [width, height], found {size!r}.")
    figures = {}
    for name, entry in content["images"].items():
        try:
            found = [hand["points"] for hand in entry.get("hands", ())]
            found += [entry[key] for key in ("body18", "face68") if key in entry]
            figures[name] = _chosen(skeletons.as_figure(found), parts)
        except InputError as error:
            raise InputError(f"{str(error).rstrip('.')} for {name} in the key-point file {path}.") from error
        except (AttributeError, TypeError, KeyError) as error:
            raise InputError(
                f'The entry of {name} in the key-point file {path} must be {{"hands": [{{"points": ...}}]}},'
                ' {"body18": ...} or {"face68": ...}.'
            ) from error
    return (None if size is None else (size[1], size[0])), figures


def _openpose_figure(content: dict, path) -> list[np.ndarray]:
    people = []
    try:
        for person in content["people"]:
            figure = []
            for part in ("pose", "hand_left", "hand_right", "face"):
                flat = person.get(f"{part}_keypoints_2d", person.get(f"{part}_keypoints")) or []
                if flat:
                    joints = np.asarray(flat, np.float64).reshape(-1, 3)
                    figure.append(joints[list(_KEPT[len(joints)])] if len(joints) in _KEPT else joints)
            people.append(skeletons.as_figure(figure))
    except (InputError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"The OpenPose file {path} holds a person whose key points are not x, y, confidence"
            " of 18, 25, 21 or 70 joints."
        ) from error
    # Bystanders are found too; the person meant is the one that the detector is surest of.
    return max(people, key=lambda figure: sum(joints[:, 2].sum() for joints in figure), default=[])


def _chosen(figure, parts: str) -> list[np.ndarray]:
    found = {
        part: [joints for joints in figure if len(joints) == count and (joints[:, 2] > 0).any()]
        for part, count in dict(hands=21, body=18, face=68).items()
    }
    return (found["hands"] or found["body"] or found["face"]) if parts == "auto" else found[parts]
