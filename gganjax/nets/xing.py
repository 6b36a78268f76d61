"""XingGAN's generator: an appearance and a shape branch that attend to each other (thesis 4.3).

Pictures are [B, H, W, 3] in [-1, 1], poses the joint maps of source and target behind each other, [B, H, W, 2K] in
[0, 1]; activations are [B, h, w, C] at a quarter of the size. Two forms: "thesis" follows the text, whose blocks are
attention and one convolution; "released" is the authors' code, whose blocks begin with two streams of convolutions and
whose directions share one attention.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, concatenate, initializers
from gganjax.nets.attention import attention, by_images, choose
from gganjax.nets.pose import STRIDE, PoseDecoder, PoseEncoder, PoseStream, pose_norm

FORMS = ("thesis", "released")
BRANCHES = ("sa", "as", "sa_as")
INITIAL = "normal_kernels"  # the release starts every convolution, 1x1 ones too, at N(0, 0.02)


class CrossingAttention(nn.Module):
    """x informed by y: x + gamma softmax(query(x) key(y)^T) value(x), [B, h, w, C] of both -> [B, h, w, C].

    With x the appearance and y the shape code it is Eq. 4.1 and 4.2 (SA), the other way round Eq. 4.3 and the sum in
    Eq. 4.4 (AS). Every position of x attends to all positions of y, unscaled; gamma, the text's alpha or beta, starts
    at 0. Query, key and value are 1x1 convolutions. With `both` a pair is returned, x informed by y and y informed by
    x through the same parameters. `form` as in `nets.attention`.
    """

    width: int  # of query and key
    form: str = "auto"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, y, both: bool = False):
        batch, height, width, channels = x.shape
        widths = {"query": self.width, "key": self.width, "value": channels}
        layers = {name: Projection(size, self.dtype, name=name)(channels) for name, size in widths.items()}
        gamma = self.param("gamma", nn.initializers.zeros, (1,)).astype(self.dtype)

        def informed(x, y, form):
            """Codes [b, N, C] -> one such code, or a pair; all of it is recomputed in the chunked form."""
            asking, answering = (jnp.concatenate(pair) if both else pair[0] for pair in ((x, y), (y, x)))
            query, key, value = (code @ kernel + bias for code, (kernel, bias) in zip(
                (asking, answering, asking), layers.values(), strict=True))
            made = asking + gamma * attention(query, key, value, form=form)
            return jnp.split(made, 2) if both else made

        codes = [code.astype(self.dtype).reshape(batch, height * width, channels) for code in (x, y)]
        rows, positions = (1 + both) * batch, height * width
        shapes = [(rows, positions, size) for size in widths.values()]
        form = choose(*shapes, self.dtype) if self.form == "auto" else self.form
        run = by_images if form == "chunked" else lambda function, *codes: function(*codes)
        return jax.tree.map(lambda made: made.reshape(x.shape), run(partial(informed, form=form), *codes))


class Projection(nn.Module):
    """Kernel [channels, features] and bias of a 1x1 convolution, for use wherever it is computed."""

    features: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, channels: int):
        shape = 1, 1, channels, self.features
        kernel_init, bias_init = initializers(INITIAL, shape)
        kernel, bias = self.param("kernel", kernel_init, shape), self.param("bias", bias_init, (self.features,))
        return kernel[0, 0].astype(self.dtype), bias.astype(self.dtype)


class XingBlock(nn.Module):
    """A crossing block: appearance code [B, h, w, C] and shape code -> the next ones.

    "thesis" (C and C channels -> C and C): SA gives the new appearance code; a 3x3 convolution, padded by reflection
    like the release's, makes the new shape code of what AS makes of the codes as they came and of the new appearance
    code. SA and AS have 1x1 convolutions of their own, of width C. "released" (C and d channels -> C and 2C, d = C or
    2C): streams of convolutions u1 and u2 of both codes, SA and AS between those through one attention of width C / 8,
    and the new shape code holds the new appearance code and behind it what AS made. `branches` without one of both
    leaves that code as it was; the other keeps attending to it.
    """

    form: str = "thesis"
    branches: str = "sa_as"
    norm: str = "batch"
    dropout: float = 0.5
    attention: str = "auto"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, appearance, shape, mode: Mode = TRAIN):
        return (self._released if self.form == "released" else self._thesis)(appearance, shape, mode)

    def _thesis(self, appearance, shape, mode):
        channels, seen = appearance.shape[-1], appearance
        if self.branches != "as":
            appearance = self._attend(channels, "sa")(appearance, shape)
        if self.branches != "sa":
            shape = concatenate(self._attend(channels, "as")(shape, seen), appearance)
            shape = Conv(channels, 3, padding=1, pad_mode="reflect", dtype=self.dtype, initial=INITIAL,
                         name="merge")(shape)
        return appearance, shape

    def _released(self, appearance, shape, mode):
        channels, stream = appearance.shape[-1], dict(norm=self.norm, dropout=self.dropout, dtype=self.dtype)
        attend = self._attend(max(channels // 8, 1), "attention")
        if self.branches != "as":
            u1 = PoseStream(channels, name="appearance", **stream)(appearance, mode)
        if self.branches != "sa":
            u2 = PoseStream(channels, norm_last=False, name="shape", **stream)(shape, mode)
        if self.branches == "sa":
            return attend(u1, shape), shape
        if self.branches == "as":
            return appearance, concatenate(appearance, attend(u2, appearance))
        y1, y2 = attend(u1, u2, both=True)
        return y1, concatenate(y1, y2)

    def _attend(self, width, name):
        return CrossingAttention(width, self.attention, self.dtype, name=name)


class XingGenerator(nn.Module):
    """XingGAN: two encoders, `blocks` crossing blocks, co-attention fusion, [B, H, W, 3] in [-1, 1].

    Co-attention fusion (Eq. 4.7) reads `images` pictures off each code and 2 `images` + 1 maps off both, which
    are a softmax over the maps; the result is the sum of the maps times the pictures, the source being the last one.
    Encoders are the release's in both forms: the text says "two convolutional layers". In the released form the shape
    code, of twice the channels, is brought to C by a 1x1 convolution, norm and ReLU first, and the last convolution to
    images is 7x7, which the text has 3x3. With 9 blocks, 18 joints and batch norms 44,853,189 parameters as released,
    17,283,982 as in the text.

    Without fusion (rows of Table 4.3, of which there is no code): one picture, of the appearance code with `branches`
    "sa", of the shape code with "as", of both joined and brought to C channels by a 1x1 convolution, norm and ReLU with
    "sa_as". `looks` names nothing then.

    With `details` also the pictures "appearance_1" ... and "shape_1" ..., and their maps "map_appearance_1" ...,
    "map_shape_1" ... and "map_source", [B, H, W, 1], from -1 where a picture takes no part to 1 where it is alone.
    """

    form: str = "thesis"
    width: int = 64
    blocks: int = 9
    images: int = 10
    branches: str = "sa_as"
    fusion: bool = True
    norm: str = "batch"
    dropout: float = 0.5
    attention: str = "auto"
    dtype: Any = jnp.float32

    stride = STRIDE

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        if not self.fusion:
            return ()
        made = [f"{branch}_{k}" for branch in ("appearance", "shape") for k in range(1, self.images + 1)]
        return (*made, *(f"map_{name}" for name in made), "map_source")

    @nn.compact
    def __call__(self, source, poses, mode: Mode = TRAIN, details: bool = False):
        appearance = PoseEncoder(self.width, self.norm, self.dtype, name="appearance_encoder")(source, mode)
        shape = PoseEncoder(self.width, self.norm, self.dtype, name="shape_encoder")(poses, mode)
        for i in range(self.blocks):
            appearance, shape = XingBlock(self.form, self.branches, self.norm, self.dropout, self.attention, self.dtype,
                                          name=f"block_{i}")(appearance, shape, mode)
        if not self.fusion:
            code = {"sa": appearance, "as": shape}.get(self.branches, concatenate(appearance, shape))
            return jnp.tanh(self._decoder("decoder", 3)(self._reduced(code, "merge", mode), mode))
        maps = PoseDecoder(2 * self.width, 2 * self.images + 1, self.norm, self.dtype, head=1,
                           head_bias=self.norm != "batch", name="maps")(concatenate(appearance, shape), mode)
        pictures = [self._decoder("appearance", 3 * self.images)(appearance, mode),
                    self._decoder("shape", 3 * self.images)(self._reduced(shape, "shape_merge", mode), mode)]
        return self._fused(source, jnp.tanh(concatenate(*pictures)), jax.nn.softmax(maps), details)

    def _fused(self, source, pictures, maps, details):
        """Eq. 4.7: maps [B, H, W, 2N + 1] weigh pictures [B, H, W, 6N] and the source behind them."""
        candidates = concatenate(pictures, source.astype(jnp.float32)).reshape(*maps.shape, 3)
        made = (maps[..., None] * candidates).sum(-2)
        if not details:
            return made
        shown = [candidates[..., k, :] for k in range(2 * self.images)]
        shown += [2 * maps[..., k : k + 1] - 1 for k in range(2 * self.images + 1)]
        return made, dict(zip(self.looks, shown, strict=True))

    def _decoder(self, name, channels):
        head = 7 if self.form == "released" else 3
        return PoseDecoder(self.width, channels, self.norm, self.dtype, head=head, name=name)

    def _reduced(self, code, name, mode):
        """A code of more than C = 4 width channels brought to C by a 1x1 convolution, norm and ReLU."""
        channels = 4 * self.width
        if code.shape[-1] == channels:
            return code
        y = Conv(channels, 1, use_bias=self.norm != "batch", dtype=self.dtype, initial=INITIAL, name=name)(code)
        return nn.relu(pose_norm(self.norm, INITIAL, f"{name}_norm")(y, mode))
