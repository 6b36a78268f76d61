"""DanceGAN's generator of dances (Tang, thesis ch. 7): music and noise to skeletons, with graph attention.

Music is [B, F, 1600] (see `nets.audio`), noise [B, F, 10], skeletons are [B, F, V, 2], x and y in [-1, 1]. Inside, a
frame is one row of 2V coordinates, x_0, y_0, x_1, y_1, ... The encoder, the noise and the residual head are those of
the baseline's code, Music-Dance-Video-Synthesis (MDVS, Ren et al. 2020); thesis and code differ in the head.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.layers import TRAIN, Dropout, Mode, concatenate
from gganjax.nets.audio import MusicEncoder
from gganjax.nets.sequence import GRU, batch_norm, linear

NOISE = 10  # numbers of noise a frame
HEADS = ("thesis", "mdvs")
AXES = ("joint", "frame")
START = 1e-3  # deviation of the head's last kernel


class DenseBlock(nn.Module):
    """Linear layers, each with a batch norm over all rows and frames and a ReLU: [B, F, C] -> [B, F, width]."""

    width: int
    layers: int

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        for i in range(self.layers):
            x = nn.relu(batch_norm(linear(x, self.width, f"linear_{i}"), f"norm_{i}", mode))
        return x


class PoseHead(nn.Module):
    """Coordinates S' before any bound, [B, F, C] -> [B, F, outputs].

    "thesis": three linear layers with batch norm and ReLU, and a linear one (thesis ch. 7). "mdvs": a linear layer,
    three residual blocks of two such layers, dropout and a linear layer, as the baseline's code has it.

    The last kernel starts near 0, unlike PyTorch's. From that start the first frame of a dance took up nearly all the
    variance that the batch norms allow, and its coordinates stood in the corners, where the tanh has no slope: an L1 of
    0.78 after 800 steps, 0.07 in the others. After 200 steps without the tanh it was 1.28 and 0.11.
    """

    outputs: int
    kind: str = "thesis"
    width: int = 1024
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        if self.kind == "thesis":
            x = DenseBlock(self.width, 3, name="block")(x, mode)
        else:
            x = linear(x, self.width, "stem")
            for i in range(3):
                x = x + DenseBlock(self.width, 2, name=f"block_{i}")(x, mode)
            x = Dropout(self.dropout)(x, mode)
        return nn.Dense(self.outputs, kernel_init=nn.initializers.normal(START), name="head")(x)


class SpatialGraphAttention(nn.Module):
    """SSGA-Net, self-frame spatial graph attention, [B, F, N] -> [B, F, N] (thesis Eq. 7.1 and 7.2).

    The N coordinates are the nodes, and a node's vector are its F values. With B, A and D made of S' by a convolution
    of size 1 each, C_ji is the softmax over i of B_i A_j, and the answer alpha sum_i C_ji D_i + S'_j; alpha starts at
    0. Nothing is divided by the root of a vector's length. The convolutions mix the coordinates of each frame (`axis`
    "joint"), or the F frames of each coordinate ("frame": the literal reading, for sequences of one length only).
    """

    axis: str = "joint"

    @nn.compact
    def __call__(self, x):
        def mixed(name):
            if self.axis == "joint":
                return linear(x, x.shape[2], name)
            self._check_length(x, name)
            return linear(x.swapaxes(1, 2), x.shape[1], name).swapaxes(1, 2)

        query, key, value = (mixed(name) for name in ("query", "key", "value"))  # A, B and D
        shares = jax.nn.softmax(jnp.einsum("bfj,bfi->bji", query, key))
        self.sow("intermediates", "map", shares)
        alpha = self.param("alpha", nn.initializers.zeros, (1,))
        return alpha * jnp.einsum("bji,bfi->bfj", shares, value) + x

    def _check_length(self, x, name):
        known = self.variables.get("params", {}).get(name)
        if known is not None and (expected := len(known["kernel"])) != x.shape[1]:
            raise InputError(f"with options.conv_axis 'frame' the generator makes dances of {expected} frames at a "
                             f"time, found music for {x.shape[1]}.")


class TemporalGraphAttention(nn.Module):
    """CTGA-Net, cross-frame temporal graph attention, [B, F, N] -> [B, F, N] for any F (thesis Eq. 7.3 and 7.4).

    The frames are the nodes: C_ji is the softmax over i of S'_i S'_j, and the answer beta sum_i C_ji S'_i + S'_j; beta
    starts at 0. There are no convolutions.
    """

    @nn.compact
    def __call__(self, x):
        shares = jax.nn.softmax(jnp.einsum("bjn,bin->bji", x, x))
        self.sow("intermediates", "map", shares)
        beta = self.param("beta", nn.initializers.zeros, (1,))
        return beta * jnp.einsum("bji,bin->bjn", shares, x) + x


class DanceGenerator(nn.Module):
    """Music [B, F, 1600] and noise [B, F, 10] -> skeletons [B, F, joints, 2] in [-1, 1].

    The hidden H of the music and the noise, through a GRU and a tanh, give S'; the answer is the tanh of S^ + S~, of
    what the spatial and the temporal graph attention make of S' (thesis ch. 7), of one of them alone, or of S' itself
    (rows of the ablation). The thesis states no bound; the tanh behind the sum keeps skeletons in range. F is any
    number, unless `axis` is "frame". At full size 8,982,664 parameters with the head "mdvs" and no attention, 4,778,120
    with "thesis".
    """

    joints: int = 18
    head: str = "thesis"
    spatial: bool = True
    temporal: bool = True
    axis: str = "joint"
    width: int = 256
    first: int = 16
    head_width: int = 1024
    dropout: float = 0.5

    @nn.compact
    def __call__(self, audio, noise, mode: Mode = TRAIN):
        hidden = MusicEncoder(self.width, self.first, name="music")(audio, mode)
        drawn = jnp.tanh(GRU(noise.shape[-1], name="noise")(noise))
        y = PoseHead(2 * self.joints, self.head, self.head_width, self.dropout, name="head")(
            concatenate(hidden, drawn), mode)
        parts = [SpatialGraphAttention(self.axis, name="spatial")(y)] if self.spatial else []
        parts += [TemporalGraphAttention(name="temporal")(y)] if self.temporal else []
        y = jnp.tanh(sum(parts) if parts else y)
        return y.reshape(*y.shape[:2], self.joints, 2)
