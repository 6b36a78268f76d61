"""The dances of a set, on a page to be looked at before training: styles, some samples in motion, and their beats.

The page is one HTML file with the pictures inside, which opens from disk with no network.
"""

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gganjax import beats, moving, page
from gganjax.data.source import Source

EXAMPLES = 4  # samples of a split
LEGEND = "Every sample in motion, its skeleton and what there is of frames; red marks the beats found in its music."


def write_check(path: Path, sources: Mapping[str, Source]) -> Path | None:
    """Writes the page of a data set: a table of its styles, then some samples of each split.

    Args:
      path: the file.
      sources: split -> data.

    Returns:
      The path; None, and no file, where no split holds sequences.
    """
    known = {split: source for split, source in sources.items() if source.sequence}
    if not known:
        return None
    sections = [("Styles", table({split: source.describe() for split, source in known.items()}))]
    for split, source in known.items():
        chosen = np.linspace(0, len(source) - 1, min(EXAMPLES, len(source))).round().astype(int).tolist()
        body = "".join(sample(source[index]) for index in dict.fromkeys(chosen))
        sections.append((f"{split}: some samples", f'<div class="side">{body}</div>'))
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = next(iter(known.values())).describe()
    path.write_text(page.wrap(f"Dances of {facts.get('folder', facts['kind'])}", LEGEND, sections), encoding="utf-8")
    return path


def table(facts: Mapping[str, Mapping]) -> str:
    """A row for each style, a column for each split, as HTML."""
    styles = dict.fromkeys(style for told in facts.values() for style in told["styles"])
    heads = "".join(f'<th class="number">{html.escape(split)}</th>' for split in facts)
    rows = []
    for number, style in enumerate(styles):
        found = [told["recordings_of_style"].get(style, 0) for told in facts.values()]
        counts = "".join(f'<td class="number">{count}</td>' for count in found)
        rows.append(f"<tr><td>{number}</td><td>{html.escape(style)}</td>{counts}</tr>")
    return f"<table><tr><th></th><th>style, recordings</th>{heads}</tr>{''.join(rows)}</table>"


def sample(made: Mapping) -> str:
    """One sample as an animated picture with its beats, as HTML."""
    videos = {"skeleton": made["skeletons"]} | ({"frames": made["frames"]} if "frames" in made else {})
    found = beats.find(made["audio"])
    step = -(-max(made["skeletons"].shape[1:3]) // 192)  # large pictures are shown smaller
    small = {name: video[None, :, ::step, ::step] for name, video in videos.items()}
    file = io.BytesIO()
    moving.save(file, moving.animate(small, beats=[found]))
    tempo = beats.tempo(beats.onset_strength(made["audio"].reshape(-1)))
    told = f"{made['name']}, style {int(made['style'])}, {len(found)} beats found, {tempo:.0f} a minute"
    image = f'<img src="data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}" alt="">'
    return f'<figure style="flex: none">{image}<figcaption>{html.escape(told)}</figcaption></figure>'
