"""Picture grids and the results page of a run.

Pictures here are uint8 [N, H, W, C] with C of 1 or 3. The page is one HTML file that opens from disk with no
network: pictures are files of the run, named by relative path, and curves are inline SVG.
"""

import html
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gganjax import beats, moving, page
from gganjax.data.palettes import hues, paint

GAP = 4  # pixels between the pictures of a grid
TIMELINE = 12  # sample grids shown on the page; the folder keeps all of them


def to_uint8(images: np.ndarray, *, truncate: bool = False) -> np.ndarray:
    """Turn float images in [-1, 1] into uint8; uint8 passes as it is.

    Args:
        images: float or uint8 [...].
        truncate: cut the fraction off, as the published GestureGAN code does on export, instead of rounding.
    """
    if images.dtype == np.uint8:
        return images
    scaled = np.clip((np.asarray(images, np.float32) + 1.0) * 127.5, 0.0, 255.0)
    return (scaled if truncate else np.rint(scaled)).astype(np.uint8)


def as_picture(images: np.ndarray, *, truncate: bool = False, palette: np.ndarray | None = None) -> np.ndarray:
    """Turn images [N, H, W, C] into pictures that `grid` takes: of maps of joints it shows the brightest one.

    Sequences, see `moving`, become strips of frames. Classes, integers [N, H, W], are painted in the colors of a palette
    uint8 [K, 3], by default in hues that differ.
    """
    if images.ndim == 3 and np.issubdtype(images.dtype, np.integer):
        return paint(np.asarray(images), hues() if palette is None else palette)
    if moving.is_sequence(images):
        images = moving.strips(images)
    pictures = to_uint8(images, truncate=truncate)
    return pictures if pictures.shape[-1] in (1, 3) else pictures.max(-1, keepdims=True)


def enlarge(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Repeat the pixels of smaller pictures [N, h, w, C] until they are (height, width), multiples of theirs."""
    for axis, wanted in zip((1, 2), size):
        pictures = pictures.repeat(wanted // pictures.shape[axis], axis)
    return pictures


def save(picture: np.ndarray, path: Path) -> None:
    """Write one picture [H, W, 3] or [H, W, 1] to a file."""
    Image.fromarray(picture if picture.shape[-1] == 3 else picture[..., 0]).save(path)


def animate(panels: dict[str, np.ndarray], path: Path, *, audio: np.ndarray | None = None) -> Path | None:
    """Write the sequences among panels as an animated picture, with the beats of their music marked where it is known.

    Args:
        panels: what `as_picture` takes, by name.
        path: the file, .webp.
        audio: music [N, F, 1600], amplitudes of 16 bits at 16 kHz.

    Returns:
        The path; None, and no file, where no panel is a sequence.
    """
    if not any(moving.is_sequence(images) for images in panels.values()):
        return None
    side = next((images.shape[-3] for images in panels.values() if images.shape[-1] == 3), 128)
    shown = {name: to_uint8(moving.frames(images, side=side) if moving.is_sequence(images) else images)
             for name, images in panels.items()}
    found = [] if audio is None else [beats.find(sound) for sound in np.asarray(audio)[: moving.ROWS]]
    moving.save(path, moving.animate(shown, beats=found))
    return path


def grid(panels: dict[str, np.ndarray]) -> Image.Image:
    """Arrange pictures in one RGB image: a column per panel under its name, a row per example.

    Args:
        panels: column name -> uint8 [N, H, W, 3] or [N, H, W, 1]; all of one number and height.

    Raises:
        ValueError: no panels, or panels that disagree in number or height of pictures.
    """
    if not panels:
        raise ValueError("a grid needs at least one panel")
    rows, height = next(iter(panels.values())).shape[:2]
    for name, images in panels.items():
        allowed = [(rows, height, *images.shape[2:3], channels) for channels in (1, 3)]
        if images.dtype != np.uint8 or images.shape not in allowed:
            wanted = f"uint8 [{rows}, {height}, width, 1 or 3]"
            raise ValueError(f"panel {name!r} must be {wanted}, found {images.dtype} {images.shape}")
    widths = [images.shape[2] for images in panels.values()]
    font, titles, title_height = _titles(list(panels), widths)
    sheet = Image.new("RGB", (sum(widths) + (len(panels) + 1) * GAP, title_height + rows * (height + GAP) + GAP), "white")
    draw, left = ImageDraw.Draw(sheet), GAP
    for images, title, width in zip(panels.values(), titles, widths, strict=True):
        middle = (left + width // 2, (title_height + GAP) // 2)
        draw.multiline_text(middle, title, "black", font, anchor="mm", align="center", spacing=1)
        for row, image in enumerate(images):
            top = title_height + GAP + row * (height + GAP)
            sheet.paste(Image.fromarray(np.broadcast_to(image, (height, width, 3)).copy()), (left, top))
        left += width + GAP
    return sheet


def _titles(names: list[str], widths: list[int]) -> tuple[Any, list[str], int]:
    """Choose the font size and the line breaks with which every title fits its column; names still too wide are cut."""
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    words = [name.replace("_", " ").split() for name in names]
    for size in range(14, 7, -1):
        font = ImageFont.load_default(size)
        if all(ruler.textlength(word, font) <= width for title, width in zip(words, widths) for word in title):
            break
    titles = []
    for title, width in zip(words, widths, strict=True):
        lines = [""]
        for word in title:
            while len(word) > 1 and ruler.textlength(word, font) > width:
                word = word[:-1]
            joined = f"{lines[-1]} {word}".strip()
            lines = [*lines, word] if lines[-1] and ruler.textlength(joined, font) > width else [*lines[:-1], joined]
        titles.append("\n".join(lines))
    bottom = max(ruler.multiline_textbbox((0, 0), title, font, spacing=1)[3] for title in titles)
    return font, titles, math.ceil(bottom) + GAP


def write(folder: str | Path) -> Path:
    """Write `index.html`, the results page of a run folder, from the files found there, and return its path.

    Parts that do not exist yet (of a run that was never evaluated, say) are left out: any time is a good time.
    """
    folder = Path(folder)
    config, versions = _read(folder / "config.json"), _read(folder / "versions.json")
    records = read_records(folder / "metrics.jsonl")
    samples = sorted((folder / "samples").glob("step_*.png"))
    sections = [page.results(_read(folder / "results/metrics.json")), *_pictures(folder), *_timeline(folder, samples)]
    if records:
        sections.append(("Curves", page.curves(records)))
    tables = (("Config", config), ("Versions", versions))
    sections += [(title, page.settings(table)) for title, table in tables if table]
    title = f"{config.get('method', 'run')}: {folder.resolve().name}"
    status = f"Last logged step: {records[-1]['step']:,}." if records else "No step logged yet."
    path = folder / "index.html"
    path.write_text(page.wrap(title, status, [section for section in sections if section]), encoding="utf-8")
    return path


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the logged steps of a run in order; a line cut off by a kill is skipped, a repeated step counts once."""
    records = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
            records[int(record["step"])] = record
        except (ValueError, KeyError, TypeError):
            continue
    return [records[step] for step in sorted(records)]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _picture(folder: Path, path: Path, caption: str) -> str:
    source, caption = html.escape(path.relative_to(folder).as_posix()), html.escape(caption)
    image = f'<a href="{source}"><img src="{source}" alt="{caption}"></a>'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def _animation(folder: Path, path: Path, caption: str) -> str:
    """The animated picture beside a still one, where there is one."""
    return _picture(folder, path, f"{caption}, moving; red marks the beat") if path.exists() else ""


def _pictures(folder: Path) -> list[tuple[str, str]]:
    """The test pairs that came out best and worst, or some where nothing ranks them."""
    captions = dict(best="best test pairs by LPIPS", worst="worst test pairs by LPIPS", examples="some test pictures")
    found = [(caption, folder / "results" / f"{name}.png") for name, caption in captions.items()]
    shown = [_picture(folder, path, caption) + _animation(folder, path.with_suffix(".webp"), caption)
             for caption, path in found if path.exists()]
    return [("Test pictures", f'<div class="side">{"".join(shown)}</div>')] if shown else []


def _timeline(folder: Path, samples: list[Path]) -> list[tuple[str, str]]:
    """The newest sample grid at full width, and earlier ones, evenly spread over the run, folded below it."""
    if not samples:
        return []
    chosen = sorted({round(index) for index in np.linspace(0, len(samples) - 1, min(TIMELINE, len(samples)))})
    steps = {index: f"step {int(samples[index].stem.removeprefix('step_')):,}" for index in chosen}
    body = _picture(folder, samples[-1], steps[chosen[-1]])
    body += _animation(folder, folder / "samples/newest.webp", steps[chosen[-1]])
    if len(chosen) > 1:
        earlier = "".join(_picture(folder, samples[index], steps[index]) for index in chosen[-2::-1])
        body += f"<details><summary>Earlier: {len(chosen) - 1} of {len(samples) - 1} grids</summary>{earlier}</details>"
    return [("Samples", body)]
