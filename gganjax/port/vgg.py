"""VGG16 and VGG19 of the torchvision release, or of timm: state dict keys <-> `features.VGG`."""

from gganjax.features import nets
from gganjax.port.convert import Table, conv

# Convolutions in each block of the whole networks, of which `features.VGG` keeps those up to its last tap.
WHOLE = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def table(depth: int) -> Table:
    """Returns the table of VGG16 or VGG19; convolutions behind the last tap and the classifier are ignored."""
    needed = {name for name, _ in nets.vgg_layers(depth)}
    entries, behind, number = [], [], 0
    for block, count in enumerate(WHOLE[depth], start=1):
        for i in range(1, count + 1):
            if f"conv{block}_{i}" in needed:
                entries += conv(f"features.{number}", f"conv{block}_{i}")
            else:
                behind.append(str(number))
            number += 2  # a convolution and its ReLU
        number += 1  # the pool
    ignored = r"(classifier|pre_logits|head)\..*" + (rf"|features\.({'|'.join(behind)})\..*" if behind else "")
    return Table(f"VGG{depth}", tuple(entries), ignored)
