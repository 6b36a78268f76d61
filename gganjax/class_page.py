"""The classes of a set of label maps, on a page to be looked at before training: colors, shares, and some samples.

The page is one HTML file with the pictures inside, which opens from disk with no network.
"""

import html
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from gganjax import overlay, page
from gganjax.data.palettes import hues, paint
from gganjax.data.source import Classes, Source

EXAMPLES = 6  # samples of a split
SHOWN = ("source_classes", "target_classes", "instances", "edges")  # besides source and target, the colors of labels among them
LEGEND = "Every class with its color and its share of the pixels; a dash where it never occurs."


def write_check(path: Path, sources: Mapping[str, Source], fields: Collection[str]) -> Path | None:
    """Writes the page of a data set: a table of its classes, then some samples of each split.

    Args:
      path: the file.
      sources: split -> data.
      fields: names of the batch fields that the method takes; their maps are shown.

    Returns:
      The path; None, and no file, where no split has classes of which the pixels were counted.
    """
    known = {split: source.classes for split, source in sources.items() if source.classes and source.classes.pixels}
    if not known:
        return None
    sections = [("Classes", table(known))]
    for split in known:
        source = sources[split]
        chosen = np.linspace(0, len(source) - 1, min(EXAMPLES, len(source))).round().astype(int).tolist()
        body = "".join(sample(source[index], known[split].palette, fields) for index in dict.fromkeys(chosen))
        sections.append((f"{split}: some samples", body))
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = next(iter(sources.values())).describe()["folder"]
    path.write_text(page.wrap(f"Classes of {folder}", LEGEND, sections), encoding="utf-8")
    return path


def table(known: Mapping[str, Classes]) -> str:
    """A row for each class, a column for each split, as HTML."""
    rows, unknown = [], next(iter(known.values())).unknown
    numbers = {number for classes in known.values() for number in (*range(classes.highest + 1), *classes.pixels)}
    for number in sorted(numbers):
        shares = [(classes.pixels.get(number, 0), sum(classes.pixels.values())) for classes in known.values()]
        cells = "".join(f'<td class="number">{f"{pixels / total:.2%}" if pixels else "&ndash;"}</td>' for pixels, total in shares)
        color = paint(np.array(number), next(iter(known.values())).palette).tolist()
        swatch = "background: rgb({},{},{})".format(*color)
        name = f"{number}, unknown" if number == unknown else str(number)
        rows.append(f'<tr><td style="{swatch}; width: 3rem"></td><td>{name}</td><td>{",".join(map(str, color))}</td>{cells}</tr>')
    heads = "".join(f'<th class="number">{html.escape(split)}</th>' for split in known)
    return f"<table><tr><th></th><th>class</th><th>color</th>{heads}</tr>{''.join(rows)}</table>"


def sample(raw: Mapping, palette: np.ndarray, fields: Collection[str]) -> str:
    """Source, target and the maps that a method takes of a sample as of `source.raw_sample`, as HTML."""
    there = {name: made for name, made in {**raw, **raw.get("maps", {})}.items() if name in fields and name in SHOWN}
    maps = {name: made() if callable(made) else made for name, made in there.items()}
    pictures = {"source": raw["source"], "target": raw["target"]} | {
        name: paint(made % len(hues()), hues()) if name == "instances" else paint(made, palette) if made.ndim == 2 else made
        for name, made in maps.items()
    }
    shown = "".join(
        f'<figure style="flex: none; width: min(30%, {picture.shape[1]}px)"><img src="{overlay.embedded(picture)}" alt="">'
        f"<figcaption>{html.escape(name.replace('_', ' '))}</figcaption></figure>"
        for name, picture in ((name, overlay.enlarged(picture)) for name, picture in pictures.items())
    )
    return f'<p>{html.escape(raw["name"])}</p><div class="side">{shown}</div>'
