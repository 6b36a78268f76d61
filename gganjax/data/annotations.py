"""Key points in the files of others: OpenPose, COCO, OpenFace, and the tables of the person-image systems.

Every reader turns what it finds into figures as in `skeletons`, in the joint orders used there. Of several people in
a picture the one with the highest summed confidence is taken: bystanders are found too, and the person meant is the
one that the detector is surest of.
"""

import csv
import json
from pathlib import Path

import numpy as np

from gganjax.data import skeletons
from gganjax.errors import InputError

TABLE = ("name", "keypoints_y", "keypoints_x")  # columns of market-annotation-train.csv and its like
JOINTS = 18

# OpenPose's points that are kept: of 25 of a body all but the mid-hip and the feet, of 70 of a face all but the pupils
_KEPT = {25: (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18), 70: tuple(range(68))}
# Places in COCO's order (nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, the left one first) of the
# 18 joints; the neck, for which there is none, is put between the shoulders.
_OF_COCO = (0, 0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
_NECK, _SHOULDERS = 1, (2, 5)


def from_coco(joints) -> np.ndarray:
    """Turns COCO's 17 joints [17, 3] into the 18 joints [18, 3]: the neck is the mean of the shoulders, if both are found."""
    joints = np.asarray(joints, np.float64)
    body = joints[list(_OF_COCO)]
    shoulders = body[list(_SHOULDERS)]
    body[_NECK] = shoulders.mean(axis=0) if (shoulders[:, 2] > 0).all() else 0
    return body


def from_openpose(joints) -> np.ndarray:
    """Turns OpenPose's 25 joints or 70 face points into the 18 or 68 that are used; others stay as they are."""
    joints = np.asarray(joints, np.float64)
    return joints[list(_KEPT[len(joints)])] if len(joints) in _KEPT else joints


def openpose_figure(content: dict, path) -> list[np.ndarray]:
    """The surest person of an OpenPose file: body, hands and face as far as it has them, [] without anybody."""
    people = []
    try:
        for person in content["people"]:
            figure = []
            for part in ("pose", "hand_left", "hand_right", "face"):
                flat = person.get(f"{part}_keypoints_2d", person.get(f"{part}_keypoints")) or []
                if flat:
                    figure.append(from_openpose(np.asarray(flat, np.float64).reshape(-1, 3)))
            people.append(skeletons.as_figure(figure))
    except (InputError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"The OpenPose file {path} holds a person whose key points are not x, y, confidence"
            " of 18, 25, 21 or 70 joints."
        ) from error
    return _surest(people)


def coco_figures(content: dict, path) -> dict[str, list[np.ndarray]]:
    """Name -> the surest person of each picture of a COCO annotation file of key points; [] where there is none.

    COCO's flags count as confidence: 0 not labeled, 1/2 labeled but hidden, 1 visible.
    """
    people = {}
    try:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        for number, annotation in enumerate(content["annotations"]):
            if "keypoints" not in annotation:
                continue
            name = names[annotation["image_id"]]
            flat = np.asarray(annotation["keypoints"], np.float64)
            if flat.shape != (51,):
                raise InputError(
                    f"Annotation {number} ({name}) of the COCO file {path} must hold x, y and flag of 17 joints (51 numbers),"
                    f" found {flat.size}."
                )
            joints = flat.reshape(17, 3)
            people.setdefault(name, []).extend(skeletons.as_figure([from_coco(joints * (1, 1, 0.5))]))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The COCO file {path} must list images with id and file_name, and annotations with image_id and keypoints"
            f" ({type(error).__name__}: {error})."
        ) from error
    return {name: _surest([[body] for body in people.get(name, ())]) for name in names.values()}


def table_figures(path) -> dict[str, list[np.ndarray]]:
    """Name -> body from a table of the person-image systems: rows `name:keypoints_y:keypoints_x`, lists of 18, -1 if missing.

    Raises:
      InputError: no such table, or a row of another kind; it names the file, the row and the picture.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"The table of key points {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The table of key points {path} is not a text file: {error}.") from error
    header = [cell.strip() for cell in lines[0].split(":")] if lines else []
    if sorted(header) != sorted(TABLE):
        raise InputError(
            f"The table of key points {path} must start with the line {':'.join(TABLE)},"
            f" found {lines[0] if lines else 'nothing'!r}."
        )
    figures = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        row = dict(zip(header, (cell.strip() for cell in line.split(":")), strict=False))
        name, y, x = (row.get(column, "") for column in TABLE)
        try:
            y, x = np.asarray(json.loads(y), np.float64), np.asarray(json.loads(x), np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"Row {number} ({name}) of the table {path} must be a name and two lists of numbers, {':'.join(TABLE)},"
                f" found {line[:60]!r}."
            ) from None
        if y.shape != (JOINTS,) or x.shape != (JOINTS,):
            raise InputError(
                f"Row {number} ({name}) of the table {path} must hold {JOINTS} values in keypoints_y and in keypoints_x,"
                f" found {y.size} and {x.size}."
            )
        found = (y != -1) & (x != -1)
        figures[name] = [np.stack([x, y, np.ones(JOINTS)], axis=1) * found[:, None]]
        if not np.isfinite(figures[name][0]).all():
            raise InputError(f"Row {number} ({name}) of the table {path} must hold finite numbers, found NaN or infinity.")
    return figures


def openface_figure(path) -> list[np.ndarray]:
    """The surest face of an OpenFace file of one picture (FaceLandmarkImg): its 68 points, [] without a face.

    Raises:
      InputError: not such a file, or one of several frames.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, skipinitialspace=True))
        faces = [
            [[row[f"x_{point}"], row[f"y_{point}"], row["confidence"]] for point in range(68)]
            for row in rows if float(row.get("success") or 1) > 0
        ]  # fmt: skip
        figures = [skeletons.as_figure([np.asarray(face, np.float64)]) for face in faces]
    except OSError as error:
        raise InputError(f"The OpenFace file {path} cannot be read: {error.strerror or error}.") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise InputError(
            f"The OpenFace file {path} must be a CSV file with the columns confidence, x_0 to x_67 and y_0 to y_67."
        ) from error
    frames = {row["frame"] for row in rows if row.get("frame")}
    if len(frames) > 1:
        raise InputError(f"The OpenFace file {path} holds {len(frames)} frames; expected one file for each picture.")
    return _surest(figures)


def _surest(people: list) -> list[np.ndarray]:
    return max(people, key=lambda figure: sum(joints[:, 2].sum() for joints in figure), default=[])
