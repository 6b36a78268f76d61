"""Key points drawn on their pictures, on a page to be looked at before training.

The page is one HTML file with the pictures inside, which opens from disk with no network. It is what `--mode=check`
writes of a data set and `tools/extract_guides.py` of what it found.
"""

import base64
import html
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from gganjax import page
from gganjax.data import guides, skeletons

RIGHT, LEFT, MIDDLE = (255, 96, 32), (48, 144, 255), (255, 255, 255)  # colors of the sides of the person who is seen
RIGHT_JOINTS = {
    18: (2, 3, 4, 8, 9, 10, 14, 16),
    68: (*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 58, 59, 60, 61, 67),
}
GRAY = 128  # around pictures
HEIGHT = 256  # pixels to which small pictures are enlarged, by a whole number
MARGIN = 8  # a joint up to this part of the height outside of the picture is still seen
EXAMPLES, SUSPICIOUS, NAMES = 12, 6, 200  # pictures of a split, pictures and names of each suspicion


class Shown(NamedTuple):
    """One picture of the page."""

    caption: str
    picture: np.ndarray  # uint8 [H, W, 3]
    figure: list  # key points in its pixels
    guidance: np.ndarray | None = None  # uint8 [H, W, 1 or 3], shown beside it


def draw(picture: np.ndarray, figure: list) -> np.ndarray:
    """Draws a figure on its picture [H, W, 3]: enlarged, on gray of one eighth of the height, uint8 [H', W', 3].

    The person's right is orange and the left blue; fingers have a color each.
    """
    factor = _factor(picture)
    margin = factor * picture.shape[0] // MARGIN
    whole = np.pad(enlarged(picture), ((margin, margin), (margin, margin), (0, 0)), constant_values=GRAY)
    sheet = Image.fromarray(whole)
    pen = ImageDraw.Draw(sheet)
    radius = whole.shape[0] / 128
    for joints in skeletons.move(figure, scale=(factor, factor), offset=(-margin, -margin)):
        places, found, colors = [*map(tuple, joints[:, :2].tolist())], joints[:, 2] > 0, _colors(len(joints))
        bones = {18: skeletons.BODY_BONES, 21: skeletons.HAND_BONES}.get(len(joints), ())
        for start, end in bones:
            if found[start] and found[end]:
                pen.line([places[start], places[end]], colors[end if colors[end] != MIDDLE else start], round(radius))
        for joint in np.flatnonzero(found):
            x, y = places[joint]
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], colors[joint], (0, 0, 0))
    return np.asarray(sheet)


def write_check(path: Path, sources: dict, settings) -> Path | None:
    """Writes the page of a data set: some pictures of each split, then those that look wrong, with their names.

    Args:
      path: the file.
      sources: split -> `data.source.Source`.
      settings: `data.settings.Settings`, for the guidance that is shown beside each picture.

    Returns:
      The path; None, and no file, where no split has key points.
    """
    sections = []
    for split, source in sources.items():
        if source.sequence or source.load(0)[0].figure is None:
            continue

        def shown(caption: str, panel) -> Shown:
            made = guides.draw(panel.figure, panel.picture.shape[:2], style=settings.guidance, line_width=settings.line_width)
            return Shown(caption, panel.picture, panel.figure, made if made.shape[2] == 3 else made.max(2, keepdims=True))

        chosen = np.linspace(0, len(source) - 1, min(EXAMPLES, len(source))).round().astype(int).tolist()
        some = [shown(source.names[index], source.load(index)[0]) for index in dict.fromkeys(chosen)]
        sections.append((f"{split}: sources of some pairs", figures(some)))
        facts = source.describe()
        if facts["without_key_points"]:
            sections.append((f"{split}: without key points", names(facts["without_key_points"])))
        for label, found in facts.get("suspicious", {}).items():
            look = [shown(name, source.panel(name)) for name in found[:SUSPICIOUS]] if source.panel else []
            sections.append((f"{split}: {label}", figures(look) + names(found)))
    if sections:
        write(path, f"Key points of {settings.folder or settings.kind}", sections)
    return path if sections else None


def write(path: Path, title: str, sections: list[tuple[str, str]]) -> None:
    """Writes the page of sections (heading, inner HTML)."""
    legend = "Orange is the right of the person who is seen, blue the left; every finger has a color of its own."
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.wrap(title, legend, sections), encoding="utf-8")


def figures(pictures: list[Shown]) -> str:
    """The pictures with their key points and guidance, as HTML."""
    drawn = []
    for one in pictures:
        picture = draw(one.picture, one.figure)
        if one.guidance is not None:
            made = np.broadcast_to(enlarged(one.guidance), (*enlarged(one.picture).shape[:2], 3))
            above = (len(picture) - len(made)) // 2
            picture = np.hstack([picture, np.pad(made, ((above, above), (0, above), (0, 0)), constant_values=GRAY)])
        image = f'<img src="{embedded(picture)}" alt="">'
        style = f"flex: none; width: min(48%, {picture.shape[1]}px)"
        drawn.append(f'<figure style="{style}">{image}<figcaption>{html.escape(one.caption)}</figcaption></figure>')
    return f'<div class="side">{"".join(drawn)}</div>'


def names(found: list[str]) -> str:
    """A count and a list of names to unfold, as HTML."""
    more = f", and {len(found) - NAMES:,} more" if len(found) > NAMES else ""
    return f"<details><summary>{len(found):,} pictures</summary>{html.escape(', '.join(found[:NAMES]))}{more}</details>"


def _colors(count: int) -> list[tuple[int, int, int]]:
    if count == 21:
        return [MIDDLE, *(color for color in skeletons.FINGER_COLORS for _ in range(4))]
    right = RIGHT_JOINTS[count]
    left = {skeletons.MIRRORS[count][joint] for joint in right}
    return [RIGHT if joint in right else LEFT if joint in left else MIDDLE for joint in range(count)]


def _factor(picture: np.ndarray) -> int:
    return -(-HEIGHT // picture.shape[0])


def enlarged(picture: np.ndarray) -> np.ndarray:
    """A small picture uint8 [H, W, C] with its pixels repeated, to be HEIGHT high at least."""
    return picture.repeat(_factor(picture), axis=0).repeat(_factor(picture), axis=1)


def embedded(picture: np.ndarray) -> str:
    """A picture uint8 [H, W, 3] as the address of an HTML image."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(file, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
