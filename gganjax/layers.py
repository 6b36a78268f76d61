"""Layers that the papers' networks share.

Images and activations are [B, H, W, C]. Parameters and statistics are float32; a layer computes in its `dtype`.
Settings follow PyTorch where the published networks were trained with it: epsilon 1e-5, statistics moved by a
tenth, running variances unbiased.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gganjax import convolutions

MOMENTUM = 0.1  # share of the newest statistics in the running ones (PyTorch's convention)
EPSILON = 1e-5


class Mode(NamedTuple):
    """How a network runs; every network takes it as its last argument.

    Attributes:
      norm: "batch" normalizes by the statistics of the data at hand, "running" by the stored ones.
      dropout: whether dropout is active.
      keep: whether running statistics and spectral-norm vectors move (in "batch" mode only).
      calls: that many independent calls are stacked along the batch axis; statistics stay those of each call.
      axis: name of the device axis over which batch statistics are shared, if any.
    """

    norm: str = "batch"
    dropout: bool = True
    keep: bool = True
    calls: int = 1
    axis: str | None = None


TRAIN = Mode()


def normal_init(scale: float = 0.02):
    """The papers' initialization: N(0, 0.02) weights."""
    return nn.initializers.normal(scale)


GLOROT = nn.initializers.xavier_uniform()  # TensorFlow's kernels unasked, with biases of 0


def around(bound: float):
    """Initializer of numbers uniform within `bound` around 0."""
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(key, shape, dtype, -bound, bound)


# How a kernel starts, from PyTorch's fans and the axis of our kernels that is the first of PyTorch's.
KERNELS = {
    "normal": lambda fan_in, fan_out, axis: normal_init(),
    "normal_kernels": lambda fan_in, fan_out, axis: normal_init(),
    "xavier": lambda fan_in, fan_out, axis: normal_init((2 / (fan_in + fan_out)) ** 0.5),
    "kaiming": lambda fan_in, fan_out, axis: normal_init((2 / fan_in) ** 0.5),
    "orthogonal": lambda fan_in, fan_out, axis: nn.initializers.orthogonal(0.02, axis),
    "torch": lambda fan_in, fan_out, axis: around(fan_in**-0.5),
    "torch_kernels": lambda fan_in, fan_out, axis: around(fan_in**-0.5),
    "xavier_small": lambda fan_in, fan_out, axis: normal_init(0.02 * (2 / (fan_in + fan_out)) ** 0.5),
}
INITIALIZATIONS = tuple(KERNELS)


def initializers(kind: str, shape: tuple[int, ...], *, transposed: bool = False):
    """Initializers of a convolution's kernel and bias.

    Args:
      kind: one of `INITIALIZATIONS`. "normal" is the papers' N(0, 0.02), "xavier" the normal form of gain 1, "kaiming"
        the normal form by fan_in, "orthogonal" makes rows of length 0.02 and the biases of all these are 0; "torch" is
        what PyTorch does unasked: kernel and bias uniform within 1 / sqrt(fan_in) around 0; "normal_kernels" has the
        kernels of "normal" and the biases of "torch"; "torch_kernels" has the kernels of "torch" and "xavier_small"
        those of "xavier" with gain 0.02, both with biases of 0.
      shape: of the kernel, [height, width, inputs, outputs].
      transposed: whether the convolution is, where PyTorch counts the outputs for fan_in and puts the inputs first.
    """
    fan_in, fan_out = (shape[0] * shape[1] * channels for channels in shape[2:])
    if transposed:
        fan_in, fan_out = fan_out, fan_in
    bias = around(fan_in**-0.5) if kind in ("torch", "normal_kernels") else nn.initializers.zeros
    return KERNELS[kind](fan_in, fan_out, -2 if transposed else -1), bias


def pad(x: jax.Array, width: int, mode: str = "zeros") -> jax.Array:
    """Pads height and width of x [B, H, W, C] by `width` with "zeros", "reflect" or "replicate"."""
    if width == 0:
        return x
    modes = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
    return jnp.pad(x, ((0, 0), (width, width), (width, width), (0, 0)), mode=modes[mode])


class Conv(nn.Module):
    """Convolution, [B, H, W, C] -> [B, H', W', features], optionally spectrally normalized.

    `initial` is one of `INITIALIZATIONS`; for `spectral` see `normalized_spectrum`.
    """

    features: int
    size: int
    stride: int = 1
    padding: int = 0
    pad_mode: str = "zeros"
    use_bias: bool = True
    spectral: bool = False
    dtype: Any = jnp.float32
    initial: str = "normal"

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        shape = self.size, self.size, x.shape[-1], self.features
        kernel_init, bias_init = initializers(self.initial, shape)
        kernel = self.param("kernel", kernel_init, shape)
        if self.spectral:
            kernel = normalized_spectrum(self, kernel, mode)
        border = ((self.padding, self.padding),) * 2
        if self.pad_mode != "zeros":
            x, border = pad(x, self.padding, self.pad_mode), ((0, 0),) * 2
        y = convolutions.convolve(x.astype(self.dtype), kernel.astype(self.dtype), self.stride, border)
        if self.use_bias:
            y = y + self.param("bias", bias_init, (self.features,)).astype(self.dtype)
        return y


def normalized_spectrum(layer: nn.Module, kernel: jax.Array, mode: Mode) -> jax.Array:
    """Divides a layer's kernel [h, w, C, features] by the largest singular value of its matrix [h w C, features].

    Spectral normalization (Miyato et al. 2018) as PyTorch has it, for a transposed convolution too: one power iteration
    for each training call from the vectors `u` [features] and `v` [h w C] that the layer stores, none at test time.
    Calls that are stacked along the batch move the vectors once.
    """
    matrix = kernel.reshape(-1, kernel.shape[-1])
    fixed = lax.stop_gradient(matrix)
    u = layer.variable("moving", "u", lambda: _normalize(jax.random.normal(layer.make_rng("params"), matrix.shape[1:])))
    v = layer.variable("moving", "v", lambda: _normalize(fixed @ u.value))  # training computes it anew at once
    left, right = u.value, v.value
    if mode.norm == "batch":
        right = _normalize(fixed @ left)
        left = _normalize(right @ fixed)
        if mode.keep and not layer.is_initializing() and layer.is_mutable_collection("moving"):
            u.value, v.value = left, right
    return kernel / (right @ matrix @ left)


def _normalize(vector):
    return vector / jnp.maximum(jnp.linalg.norm(vector), 1e-12)


class UpConv(nn.Module):
    """Transposed convolution of stride 2 that doubles height and width, [B, H, W, C] -> [B, 2H, 2W, features].

    Equal to PyTorch's ConvTranspose2d with kernel 3, padding 1, output_padding 1, or kernel 4, padding 1.
    The kernel [size, size, C, features] is that of the input-dilated convolution; `initial` is one of
    `INITIALIZATIONS`; for `spectral` see `normalized_spectrum`.
    """

    features: int
    size: int = 3
    use_bias: bool = True
    dtype: Any = jnp.float32
    initial: str = "normal"
    spectral: bool = False

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        shape = self.size, self.size, x.shape[-1], self.features
        kernel_init, bias_init = initializers(self.initial, shape, transposed=True)
        kernel = self.param("kernel", kernel_init, shape)
        if self.spectral:
            kernel = normalized_spectrum(self, kernel, mode)
        y = convolutions.double(x.astype(self.dtype), kernel, self.dtype)
        if self.use_bias:
            y = y + self.param("bias", bias_init, (self.features,)).astype(self.dtype)
        return y


class Norm(nn.Module):
    """Instance or batch normalization with running statistics.

    "instance" has no scale and shift unless `affine` says so; "batch" has them; "none" passes x through. The scale is
    drawn from N(1, 0.02), or is 1 where `initial` is "torch". Statistics are float32 whatever the type of x.
    The running variance of an instance norm is the batch mean of the unbiased variances of the images, as in
    PyTorch. With mode.calls = n the batch holds n calls one after another, and the running statistics move n
    times, call by call; the result equals n separate calls.
    """

    kind: str
    affine: bool | None = None
    track: bool = True
    initial: str = "normal"
    epsilon: float = EPSILON

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        if self.kind == "none":
            return x
        channels = x.shape[-1]
        if self.track:
            stored = (self.variable("moving", "mean", jnp.zeros, (channels,), jnp.float32),
                      self.variable("moving", "var", jnp.ones, (channels,), jnp.float32))
        full = x.astype(jnp.float32)
        if mode.norm == "running" and self.track:
            mean, var = stored[0].value, stored[1].value
        else:
            mean, var, newest = self._statistics(full, mode)
            if self.track and mode.keep and not self.is_initializing() and self.is_mutable_collection("moving"):
                for running, values in zip(stored, newest):
                    for value in values:  # one move for each stacked call
                        running.value = (1 - MOMENTUM) * running.value + MOMENTUM * lax.stop_gradient(value)
        y = (full - mean) * lax.rsqrt(var + self.epsilon)
        if self.affine if self.affine is not None else self.kind == "batch":
            spread = normal_init(0.0 if self.initial == "torch" else 0.02)
            scale = self.param("scale", lambda key, shape: 1 + spread(key, shape), (channels,))
            y = y * scale + self.param("bias", nn.initializers.zeros, (channels,))
        return y.astype(x.dtype)

    def _statistics(self, x, mode: Mode):
        """Mean and variance that broadcast against x, and (means, variances), each [calls, C], for the running ones."""
        batch, height, width, channels = x.shape
        calls = x.reshape(mode.calls, batch // mode.calls, height, width, channels)
        share = (lambda value: lax.pmean(value, mode.axis)) if mode.axis and self.kind == "batch" else (lambda value: value)
        axes = (2, 3) if self.kind == "instance" else (1, 2, 3)
        mean = share(calls.mean(axes, keepdims=True))
        var = share(jnp.square(calls - mean).mean(axes, keepdims=True))
        count = int(np.prod([calls.shape[a] for a in axes]))
        if mode.axis and self.kind == "batch":
            count = count * lax.axis_size(mode.axis)
        unbiased = count / max(count - 1, 1)
        newest = mean.mean((1, 2, 3)), var.mean((1, 2, 3)) * unbiased
        spread = (mode.calls, batch // mode.calls, 1, 1, channels)
        return (jnp.broadcast_to(mean, spread).reshape(batch, 1, 1, channels),
                jnp.broadcast_to(var, spread).reshape(batch, 1, 1, channels), newest)


class Dropout(nn.Module):
    """Dropout of single activations, x [...] -> [...], scaled by 1 / (1 - rate) while training.

    When the rate is a whole number of 256ths (0.5 is), one random byte decides each activation: a quarter of the
    random bits, and the same distribution.
    """

    rate: float

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        if self.rate == 0 or not mode.dropout:
            return x
        key = self.make_rng("dropout")
        threshold = self.rate * 256
        if threshold == int(threshold):
            kept = jax.random.bits(key, x.shape, jnp.uint8) >= np.uint8(threshold)
        else:
            kept = jax.random.uniform(key, x.shape) >= self.rate
        return jnp.where(kept, x / (1 - self.rate), 0)


def leaky_relu(x):
    """Leaky ReLU with the slope of 0.2 that all these papers use."""
    return nn.leaky_relu(x, 0.2)


def concatenate(*parts: jax.Array) -> jax.Array:
    """Joins images or activations [..., C_i] along their channels."""
    return jnp.concatenate(parts, axis=-1)
