"""Data: pairs, domains and the embedded drawn hands, as batches of uint8 pictures.

`settings` lists the kinds of sets. `open_source` checks everything there is to check; `train_batches` and
`test_batches` then only read. Pictures are uint8 [B, H, W, 3].
"""

from gganjax.data.images import read_image
from gganjax.data.keypoints import read_keypoints
from gganjax.data.opening import open_source
from gganjax.data.settings import DEFAULTS
from gganjax.data.skeletons import draw_skeleton

__all__ = [
    "DEFAULTS",
    "draw_skeleton",
    "open_source",
    "read_image",
    "read_keypoints",
    "steps_per_epoch",
    "test_batches",
    "train_batches",
]


def __getattr__(name):
    """Imports what makes batches at its first use: that needs grain, reading and drawing key points does not."""
    if name in ("steps_per_epoch", "test_batches", "train_batches"):
        from gganjax.data import order

        return getattr(order, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
