"""The released formats: one picture file per pair, its panels side by side.

    ROOT/train/NAME.png    e.g. 1024 x 256: source | target | source skeleton | target skeleton
                           or 512 x 256: source | target

`config.data.panels` says how many panels there are and in which order the skeletons come; "auto" tells two panels from
four by the shape of the strips, whose panels are then squares. Names that end in `_lr` (`..._AB_lr.png`) are mirrored
copies of other strips; where a set has them, flip "auto" is off.
"""

from pathlib import Path

from gganjax.data import folders, images, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Panel, Source
from gganjax.errors import InputError

# Places of source, target, source guidance and target guidance in a strip.
ORDERS = {"two": (0, 1), "source_first": (0, 1, 2, 3), "target_first": (0, 1, 3, 2)}
COUNTS = {2: "two", 4: "four"}


def open_strips(settings: Settings, split: str, *, size: tuple[int, int]) -> Source:
    """Opens the strips of one split with panels of that (height, width).

    Raises:
      InputError: no folder, no strips, unreadable strips, or strips of another shape.
    """
    root = Path(settings.folder)
    if not (root / split).is_dir():
        raise InputError(f"The strips of the {split} split must be in {root / split}, but there is no such folder.")
    names = sorted(path.name for path in (root / split).iterdir() if path.suffix.lower() in images.SUFFIXES)
    names = [name for name in names if name.startswith(settings.only)]
    if not names:
        tail = f" whose name starts with {settings.only!r} (config.data.only)" if settings.only else ""
        raise InputError(f"The folder {root / split} holds no strips{tail}: expected pictures ({', '.join(images.SUFFIXES)}).")
    sizes, bad = verify.verify(root / split, names, threads=settings.threads)
    square, order = settings.panels == "auto", ORDERS.get(settings.panels) or _recognized(sizes.values())
    shape = f"{COUNTS[len(order)]} {'square panels' if square else 'panels of one width'} side by side"
    for name, (height, width) in sizes.items():
        if not _fits(height, width, len(order), square):
            bad[name] = f"{root / split / name} must be {shape}, but it is {width}x{height}"
    if settings.bad_files == "stop":
        verify.complain(bad, len(names), root / split)
    kept = [name for name in names if name not in bad]
    if not kept:
        raise InputError(f"No strip in {root / split} can be used: all {len(bad)} are bad.")
    memory = Memory(settings.memory)

    def panels(name: str) -> tuple[Panel, Panel]:
        strip = images.read_image(root / split / name)
        height, width = strip.shape[:2]
        if not _fits(height, width, len(order), square):
            was = f"{COUNTS[len(order)]}{' square' * square} panels wide"
            raise InputError(f"{root / split / name} was {was} when it was checked and no longer is.")
        width //= len(order)
        parts = [strip[:, place * width : (place + 1) * width] for place in order]
        parts = [images.fit(part, size, center_crop=settings.center, by=settings.resize) for part in parts]
        source_guidance, target_guidance = parts[2:] or (None, None)
        return Panel(parts[0], guidance=source_guidance), Panel(parts[1], guidance=target_guidance)

    facts = {
        "kind": "strips",
        "folder": str(root),
        "split": split,
        "pairs": len(kept),
        "pictures": len(kept),
        "sizes": folders.count_sizes(sizes[name] for name in kept),
        "panels": len(order),
        "pairs_left_out": len(names) - len(kept),
        "without_key_points": [],
        "bad_files": dict(sorted(bad.items())),
        "guidance": "skeleton pictures" if len(order) == 4 else "none",
    }
    stems = [name.rpartition(".")[0] for name in kept]
    mirrored = any(stem.endswith("_lr") for stem in stems)
    return Source(stems, lambda index: memory.get(kept[index], lambda: panels(kept[index])), facts, size=size, mirrored=mirrored)


def _recognized(sizes) -> tuple[int, ...]:
    """Two panels where more strips are two squares wide than four."""
    ratios = [width / height for height, width in sizes]
    return ORDERS["two" if ratios.count(2) > ratios.count(4) else "source_first"]


def _fits(height: int, width: int, count: int, square: bool) -> bool:
    return width == count * height if square else width % count == 0
