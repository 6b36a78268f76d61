"""ST-GCN on poses (Yan et al. 2018): classifies dances, and its blocks are the features of the pose perceptual loss.

Poses are [B, F, 18, 2] in [-1, 1], joints in OpenPose's order. Layers and sizes are those of the network that
DanceGAN's baseline, Music-Dance-Video-Synthesis (Ren et al. 2020), was trained with.
"""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gganjax.layers import TRAIN, Mode, Norm
from gganjax.nets.sequence import batch_norm, convolve

JOINTS, NECK = 18, 1
EDGES = ((4, 3), (3, 2), (7, 6), (6, 5), (13, 12), (12, 11), (10, 9), (9, 8), (11, 5), (8, 2), (5, 1), (2, 1), (0, 1),
         (15, 0), (14, 0), (17, 15), (16, 14))  # fmt: skip
WIDTHS = (1, 1, 1, 1, 2, 2, 2, 4, 4, 4)  # of the blocks, in the width of the first
STRIDES = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)  # in time
PERCEPTUAL_WEIGHTS = (20.0, 5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)  # of the blocks in the baseline's loss


@functools.cache
def adjacency() -> np.ndarray:
    """Normalized adjacency of the joints in three parts, float32 [3, 18, 18]: [k, v, w] is what w takes from v.

    Edges and self loops, every column divided by its sum; self loops are one part, edges from a joint as far from the
    neck or farther the next, edges from a nearer joint the last. Distances are known up to one edge, and all beyond
    count as equal.
    """
    near = np.eye(JOINTS, dtype=bool)
    for one, other in EDGES:
        near[one, other] = near[other, one] = True
    normalized = near / near.sum(0)
    distance = np.where(near[NECK], 1, 2)
    distance[NECK] = 0
    loops, nearer = np.eye(JOINTS, dtype=bool), distance[:, None] < distance[None]
    return np.stack([normalized * part for part in (loops, ~loops & ~nearer, ~loops & nearer)]).astype(np.float32)


class STGCNBlock(nn.Module):
    """Graph convolution of each frame and convolution over 9 frames, [B, T, V, C] -> [B, T / stride, V, width].

    The input is added before the last ReLU: as it is where the shape stays, through a convolution and a batch norm
    where it changes, not at all without `residual`.
    """

    width: int
    stride: int = 1
    residual: bool = True

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        def norm(y, name):
            return Norm("batch", initial="torch", name=name)(y, mode)

        parts = adjacency()
        parts = parts * self.param("importance", nn.initializers.ones, parts.shape)
        y = convolve(x, len(parts) * self.width, (1, 1), "graph")
        y = jnp.einsum("btvkc,kvw->btwc", y.reshape(*y.shape[:3], len(parts), self.width), parts)
        y = nn.relu(norm(y, "norm_0"))
        y = convolve(y, self.width, (9, 1), "time", stride=(self.stride, 1), padding=(4, 0))
        y = norm(y, "norm_1")
        if self.residual:
            if self.stride != 1 or x.shape[-1] != self.width:
                x = norm(convolve(x, self.width, (1, 1), "skip", stride=(self.stride, 1)), "skip_norm")
            y = y + x
        return nn.relu(y)


class STGCN(nn.Module):
    """Poses [B, F, 18, 2] -> logits [B, classes], float32.

    Ten blocks, width and 2 and 4 times it, time halved twice; the mean over frames and joints; a linear layer. Width 64
    and 16 classes make 3,078,224 parameters; the features are then 256 numbers. With `blocks` it returns the outputs of
    the ten blocks instead, [B, t, 18, c] each.
    """

    classes: int = 16
    width: int = 64

    @nn.compact
    def __call__(self, poses, mode: Mode = TRAIN, blocks: bool = False):
        y = batch_norm(poses.reshape(*poses.shape[:2], -1), "norm", mode).reshape(poses.shape)
        found = []
        for i, (width, stride) in enumerate(zip(WIDTHS, STRIDES, strict=True)):
            y = STGCNBlock(self.width * width, stride, bool(i), name=f"block_{i}")(y, mode)
            found.append(y)
        logits = convolve(y.mean((1, 2), keepdims=True), self.classes, (1, 1), "head")[:, 0, 0]
        return found if blocks else logits


class FrozenSTGCN(nn.Module):
    """The outputs of the ten blocks of a trained ST-GCN, normalized by its running statistics; nothing of it moves.

    The one parameter `trained` holds all its variables, {"params": tree, "moving": tree}.
    """

    classes: int = 16
    width: int = 64

    @nn.compact
    def __call__(self, poses) -> list[jax.Array]:
        net = STGCN(self.classes, self.width, parent=None)
        trained = self.param("trained", lambda key: net.init(key, poses))
        return net.apply(trained, poses, Mode(norm="running", dropout=False, keep=False), blocks=True)
