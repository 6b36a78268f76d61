"""The released format: one picture file per pair, four square panels wide: source | target | source skeleton | target
skeleton.

    ROOT/train/NAME.png    e.g. 1024 x 256

Names that end in `_lr` (`..._AB_lr.png`) are mirrored copies of other strips; where a set has them, flip "auto" is
off.
"""

from pathlib import Path

from gganjax.data import folders, images, verify
from gganjax.data.settings import Settings
from gganjax.data.source import Memory, Panel, Source
from gganjax.errors import InputError


def open_strips(settings: Settings, split: str, *, size: int) -> Source:
    """Opens the strips of one split with panels of size x size.

    Raises:
      InputError: no folder, no strips, unreadable strips, or strips that are not four squares wide.
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
    for name, (height, width) in sizes.items():
        if width != 4 * height:
            bad[name] = f"{root / split / name} must be four square panels side by side, but it is {width}x{height}"
    if settings.bad_files == "stop":
        verify.complain(bad, len(names), root / split)
    kept = [name for name in names if name not in bad]
    if not kept:
        raise InputError(f"No strip in {root / split} can be used: all {len(bad)} are bad.")
    memory = Memory(settings.memory)

    def panels(name: str) -> tuple[Panel, Panel]:
        strip = images.read_image(root / split / name)
        side = strip.shape[0]
        if strip.shape[1] != 4 * side:
            raise InputError(f"{root / split / name} was four square panels wide when it was checked and no longer is.")
        parts = [images.resize(strip[:, i * side : (i + 1) * side], (size, size)) for i in range(4)]
        return Panel(parts[0], guidance=parts[2]), Panel(parts[1], guidance=parts[3])

    facts = {
        "kind": "strips",
        "folder": str(root),
        "split": split,
        "pairs": len(kept),
        "pictures": len(kept),
        "sizes": folders.count_sizes(sizes[name] for name in kept),
        "pairs_left_out": len(names) - len(kept),
        "without_key_points": [],
        "bad_files": dict(sorted(bad.items())),
        "guidance": "skeleton pictures",
    }
    stems = [name.rpartition(".")[0] for name in kept]
    mirrored = any(stem.endswith("_lr") for stem in stems)
    return Source(stems, lambda index: memory.get(kept[index], lambda: panels(kept[index])), facts, size=size, mirrored=mirrored)
