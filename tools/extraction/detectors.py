"""Landmarks of pictures: hands and bodies by MediaPipe, faces by dlib, edges by Canny's method.

A detector takes a picture, uint8 [H, W, 3], and returns what it `Found`. Nothing of this can be imported in the
environment of training; see tools/extract_guides.txt. Both packages carry their models, so that nothing is downloaded.
"""

import importlib.util
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gganjax.data import images, skeletons

# MediaPipe's 33 points of a body in the order of the 18 joints; the neck lies between the shoulders (11 and 12).
OF_MEDIAPIPE = (0, 0, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
NECK, SHOULDERS = 1, (11, 12)
JOINT_LEAST = 0.3  # visibility below which a joint of a body is called missing
JOINTS_LEAST = 6  # joints of a body below which it is called poor
SMALL = 512  # pixels of the shorter side to which smaller pictures are enlarged: the models were made for photos
MARGIN = 0.25  # of the shorter side, added around pictures of bodies: one that fills its picture is often not found
LEAST = dict(hand=0.7, pose=0.6, face=0.3, edges=0.002)  # scores below which a detection is poor

os.environ.setdefault("GLOG_minloglevel", "2")  # mediapipe tells of every graph that it builds


class Found(NamedTuple):
    """What was found in one picture."""

    entry: dict  # as in the key-point files of data folders, {} where nothing was found
    figure: list  # the same key points, float64 [J, 3] each
    score: float  # of the least sure part of the figure; of edges their share of the picture
    poor: str = ""  # what is wrong with the detection, "" if nothing
    edges: np.ndarray | None = None  # uint8 [H, W]


def make(kind: str, *, least: float, hands: int = 2, low: float = 100, high: float = 200):
    """The detector of a kind of guidance: picture -> Found.

    Args:
      kind: "hand", "pose", "face" or "edges".
      least: score below which a detection is poor.
      hands: most hands of a picture.
      low, high: thresholds of Canny's method, on gray levels 0 to 255.
    """
    if kind == "hand":
        return _hands(least, hands)
    if kind == "pose":
        return _pose(least)
    return _face(least) if kind == "face" else _edges(least, low, high)


def judged(part: str, figure: list, scores: list, least: float, shape, *, written: Any) -> Found:
    """What was found, with the reason if it is poor: nothing, a low score, or mostly outside of the picture."""
    if not figure:
        return Found({}, [], 0.0, f"no {part} found")
    joints = np.concatenate(figure)
    joints = joints[joints[:, 2] > 0]
    outside = ~skeletons.within(joints[:, :2], shape[1::-1])
    score, poor = min(scores), ""
    if score < least:
        poor = f"{part} with a score of {score:.2f}, below {least:g}"
    elif 3 * outside.sum() > len(joints):
        poor = f"{outside.sum()} of {len(joints)} points outside of the picture"
    return Found(written, figure, score, poor)


def to_body(points: np.ndarray, shape) -> np.ndarray:
    """Turns MediaPipe's 33 points [33, 3] (x, y, visibility) into the 18 joints; hidden ones and those outside are missing."""
    body = points[list(OF_MEDIAPIPE)]
    body[NECK] = points[list(SHOULDERS)].mean(axis=0)
    body[NECK, 2] = points[list(SHOULDERS), 2].min()
    body[~skeletons.within(body[:, :2], shape[1::-1]) | (body[:, 2] < JOINT_LEAST), 2] = 0
    return body


def enlarged(picture: np.ndarray, margin: float = 0) -> tuple[np.ndarray, float, int]:
    """A picture of at least SMALL pixels with a margin of its own edges: (picture, factor, pixels of the margin)."""
    shorter = min(picture.shape[:2])
    factor = max(SMALL / shorter, 1.0)
    size = tuple(round(side * factor) for side in picture.shape[:2])
    pad = round(margin * shorter * factor)
    return np.pad(images.resize(picture, size), ((pad, pad), (pad, pad), (0, 0)), mode="edge"), factor, pad


def _listed(joints: np.ndarray) -> list:
    return [[round(x, 2), round(y, 2), round(confidence, 3)] for x, y, confidence in joints.tolist()]


def _landmarks(found, seen: np.ndarray, factor: float, pad: int) -> np.ndarray:
    """MediaPipe's landmarks, shares of the picture that it saw, in pixels of the given one: [J, 2]."""
    shares = np.array([[point.x, point.y] for point in found.landmark])
    return (shares * seen.shape[1::-1] - pad) / factor - 0.5  # pixel centers are whole numbers


def _hands(least: float, most: int):
    import mediapipe

    model = mediapipe.solutions.hands.Hands(static_image_mode=True, max_num_hands=most, model_complexity=1)

    def detect(picture: np.ndarray) -> Found:
        seen, factor, pad = enlarged(picture)
        answer = model.process(seen)
        found = []
        for hand, side in zip(answer.multi_hand_landmarks or (), answer.multi_handedness or (), strict=True):
            places, score = _landmarks(hand, seen, factor, pad), side.classification[0].score
            found.append((np.concatenate([places, np.full((21, 1), score)], axis=1), score))
        found.sort(key=lambda one: one[0][:, 0].mean())  # left to right
        entry = {"hands": [{"points": _listed(joints)} for joints, _ in found]}
        return judged("hand", [joints for joints, _ in found], [score for _, score in found], least, picture.shape, written=entry)

    return detect


def _pose(least: float):
    import mediapipe

    # The other complexities are not in the wheel and would be downloaded.
    model = mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1)

    def detect(picture: np.ndarray) -> Found:
        seen, factor, pad = enlarged(picture, MARGIN)
        found = model.process(seen).pose_landmarks
        if found is None:
            return judged("body", [], [], least, picture.shape, written={})
        visible = np.array([[point.visibility] for point in found.landmark])
        body = to_body(np.concatenate([_landmarks(found, seen, factor, pad), visible], axis=1), picture.shape)
        sure = body[body[:, 2] > 0, 2]
        score = float(sure.mean()) if len(sure) else 0.0
        made = judged("body", [body], [score], least, picture.shape, written={"body18": _listed(body)})
        few = f"{len(sure)} joints of the body found, fewer than {JOINTS_LEAST}"
        return made._replace(poor=few) if len(sure) < JOINTS_LEAST else made

    return detect


def _face(least: float):
    import dlib

    package = importlib.util.find_spec("face_recognition_models")  # importing it would need an old setuptools
    if package is None:
        raise ModuleNotFoundError("No module named 'face_recognition_models'", name="face_recognition_models")
    finder = dlib.get_frontal_face_detector()
    predictor = dlib.shape_predictor(
        str(Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"))

    def detect(picture: np.ndarray) -> Found:
        boxes, scores, _ = finder.run(np.ascontiguousarray(picture), 1, 0.0)  # faces of 40 pixels and more
        if not boxes:
            return judged("face", [], [], least, picture.shape, written={})
        surest = int(np.argmax(scores))
        points = [(point.x, point.y, 1.0) for point in predictor(np.ascontiguousarray(picture), boxes[surest]).parts()]
        face = np.array(points, np.float64)
        return judged("face", [face], [scores[surest]], least, picture.shape, written={"face68": _listed(face)})

    return detect


def _edges(least: float, low: float, high: float):
    import cv2

    def detect(picture: np.ndarray) -> Found:
        edges = cv2.Canny(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), low, high)
        share = float((edges > 0).mean())
        poor = f"edges on {share:.2%} of the picture, below {least:.2%}" if share < least else ""
        return Found({}, [], share, poor, edges)

    return detect
