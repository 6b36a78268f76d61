"""GauGAN's generator: residual blocks whose norms are modulated by the label map (SPADE, Park et al. 2019).

Semantics are [B, H, W, S]: one-hot labels, for some sets with a channel of instance edges, or any guidance picture.
Features are [B, h, w, C]; height and width are those of the semantics divided by a power of 2. Convolutions inside
the residual blocks have spectral norm. They start as the released models did, which were trained on GPUs: there the
reference's initialization, xavier normal of gain 0.02, misses the spectrally normalized kernels, and PyTorch's own
stays, uniform within 1 / sqrt(fan_in). `spectral_initial`="xavier_small" is what it does on a CPU.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.features.resizing import bilinear, nearest
from gganjax.layers import TRAIN, Conv, Mode, Norm, initializers, leaky_relu
from gganjax.nets.upsampling import POINTS, Upsample, kernel_names, kernel_pictures, watching

HALVINGS = {"normal": 5, "more": 6, "most": 7}  # of the picture down to the generator's first features
NORMS = ("batch", "instance")
SPECTRAL_INITIALIZATIONS = ("torch_kernels", "xavier_small")


class SpadeNorm(nn.Module):
    """Spatially adaptive normalization: norm(x) (1 + gamma) + beta, x [B, h, w, C] -> [B, h, w, C].

    gamma and beta, one number for each activation, are read off the semantics [B, H, W, S] by a 3x3 convolution to
    `hidden` channels, a ReLU and a 3x3 convolution each. The norm has no parameters: "batch", whose statistics are
    those of all devices, or "instance".
    """

    hidden: int = 128
    norm: str = "batch"
    dtype: Any = jnp.float32
    initial: str = "xavier_small"

    @nn.compact
    def __call__(self, x, semantics, mode: Mode = TRAIN):
        conv = dict(size=3, padding=1, dtype=self.dtype, initial=self.initial)
        seen = nn.relu(Conv(self.hidden, name="shared", **conv)(nearest(semantics, x.shape[1:3])))
        gamma, beta = (Conv(x.shape[-1], name=name, **conv)(seen) for name in ("gamma", "beta"))
        y = Norm(self.norm, affine=False, track=self.norm == "batch", name="norm")(x, mode)
        return y * (1 + gamma) + beta


class SpadeBlock(nn.Module):
    """Residual block of two 3x3 convolutions behind modulated norms, x [B, h, w, C] -> [B, h, w, features].

    The inner width is the smaller one of C and `features`. Where they differ, the shortcut is a modulated norm and a
    1x1 convolution without bias; nothing follows the sum.
    """

    features: int
    hidden: int = 128
    norm: str = "batch"
    spectral: bool = True
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"

    @nn.compact
    def __call__(self, x, semantics, mode: Mode = TRAIN):
        conv = dict(spectral=self.spectral, dtype=self.dtype,
                    initial=self.spectral_initial if self.spectral else self.initial)

        def modulated(x, name):
            return SpadeNorm(self.hidden, self.norm, self.dtype, self.initial, name=name)(x, semantics, mode)

        shortcut = x
        if x.shape[-1] != self.features:
            shortcut = Conv(self.features, 1, use_bias=False, name="conv_s", **conv)(modulated(x, "norm_s"), mode)
        inner = min(x.shape[-1], self.features)
        y = Conv(inner, 3, padding=1, name="conv_0", **conv)(leaky_relu(modulated(x, "norm_0")), mode)
        y = Conv(self.features, 3, padding=1, name="conv_1", **conv)(leaky_relu(modulated(y, "norm_1")), mode)
        return shortcut + y


class SpadeTrunk(nn.Module):
    """GauGAN's generator up to its last features: semantics [B, H, W, S] -> [B, H, W, width].

    A 3x3 convolution of the semantics at 1/32, 1/64 or 1/128 of the size, or what takes its place, and residual blocks
    with an upsampling before each but the first; "normal" leaves out the one before the second middle block, "most" has
    a further block and `width` / 2 channels in the end. Semantics are resized once for each size.

    Attributes:
      width: channels of the last block; the first ones have 16 times as many.
      upsampling: "normal", "more" or "most", see `HALVINGS`.
      latent: length of the code z [B, latent] from which a linear layer makes the first features; 0 without.
      norm: "batch" or "instance", inside the modulated norms.
      upsampler: kind of `nets.upsampling.Upsample` before the blocks up_0 to up_3, "nearest" before the others;
        "attention" is before all.
      hidden: width of the modulation.
      spectral: whether the blocks' convolutions have spectral norm.
      remat: recompute each block's activations in the backward pass instead of keeping them.
    """

    width: int = 64
    upsampling: str = "normal"
    latent: int = 0
    norm: str = "batch"
    upsampler: str = "nearest"
    hidden: int = 128
    spectral: bool = True
    remat: bool = False
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return 2 ** HALVINGS[self.upsampling]

    @property
    def blocks(self) -> dict[str, int]:
        """The residual blocks' names in order, and the width of each as a multiple of `width` / 2."""
        widths = dict(head=32, middle_0=32, middle_1=32, up_0=16, up_1=8, up_2=4, up_3=2)
        return widths | ({"up_4": 1} if self.upsampling == "most" else {})

    @property
    def kernel_paths(self) -> dict[str, str]:
        """Names and paths of the SAUs inside."""
        levels = [f"up_{i}" for i in range(4)] if self.upsampler.startswith("sau") else []
        return {level: f"upsample_{level}/sau" for level in levels}

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None, start=None, taps: tuple[str, ...] = ()):
        """Computes the features.

        Args:
          semantics: [B, H, W, S].
          mode: how the network runs.
          z: code [B, latent], with a latent.
          start: features [B, h, w, 16 width] to begin with, in place of those that z or the semantics give.
          taps: names of blocks whose inputs are wanted.

        Returns:
          The features [B, H, W, width], and with `taps` also {name of a block: its input}.
        """
        height, width = (side // self.stride for side in semantics.shape[1:3])
        at_size, found = {}, {}
        semantics = semantics.astype(self.dtype)
        x = start if start is not None else self._first(nearest(semantics, (height, width)), z)
        block = nn.remat(SpadeBlock, static_argnums=3) if self.remat else SpadeBlock
        for name, half_widths in self.blocks.items():
            if name != "head" and not (name == "middle_1" and self.upsampling == "normal"):
                everywhere = self.upsampler == "attention" or name in ("up_0", "up_1", "up_2", "up_3")
                x = Upsample(self.upsampler if everywhere else "nearest", self.dtype, self.initial,
                             name=f"upsample_{name}")(x, mode)
            if name in taps:
                found[name] = x
            if x.shape[1] not in at_size:
                at_size[x.shape[1]] = nearest(semantics, x.shape[1:3])
            x = block(half_widths * self.width // 2, self.hidden, self.norm, self.spectral, self.dtype, self.initial,
                      self.spectral_initial, name=name)(x, at_size[x.shape[1]], mode)
        return (x, found) if taps else x

    def _first(self, semantics, z):
        """The first features [B, h, w, 16 width], of z or of the semantics at their size."""
        height, width = semantics.shape[1:3]
        if not self.latent:
            return Conv(16 * self.width, 3, padding=1, dtype=self.dtype, initial=self.initial, name="first")(semantics)
        size = height * width * 16 * self.width
        x = nn.Dense(size, dtype=self.dtype, kernel_init=dense_init(self.initial, self.latent, size), name="first")(z)
        return x.reshape(-1, height, width, 16 * self.width)


class SpadeGenerator(nn.Module):
    """GauGAN's generator: semantics [B, H, W, S], with a latent a code z [B, latent] -> image [B, H, W, 3] in [-1, 1].

    The trunk, a leaky ReLU and a 3x3 convolution. With 36 label channels and "more" upsampling, as on Cityscapes at
    512x256, 93,048,003 parameters; with a latent of 256 the first layer depends on the size of the picture.

    With `details` a dictionary comes out, of "fake_target" and of the pictures that `looks` names: the weights of every
    SAU at the `points`, shares of height and width.
    """

    trunk: SpadeTrunk
    points: Sequence[tuple[float, float]] = POINTS

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return self.trunk.stride

    @property
    def kernel_paths(self) -> dict[str, str]:
        """Names and paths of the SAUs."""
        return {level: f"trunk/{path}" for level, path in self.trunk.kernel_paths.items()}

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        return kernel_names(self.kernel_paths, self.points)

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None, details: bool = False):
        with watching() as kernels:
            image = to_image(self.trunk(semantics, mode, z), self.trunk, name="image")
        if not details:
            return image
        return {"fake_target": image} | kernel_pictures(kernels, self.kernel_paths, self.points, semantics.shape[1:3])


def to_image(features, trunk: SpadeTrunk, *, name: str):
    """Leaky ReLU, 3x3 convolution to 3 channels, tanh, as a layer `name` of the network that is being built."""
    y = Conv(3, 3, padding=1, dtype=trunk.dtype, initial=trunk.initial, name=name)(leaky_relu(features))
    return jnp.tanh(y.astype(jnp.float32))


class ImageEncoder(nn.Module):
    """GauGAN's encoder: image [B, H, W, 3] in [-1, 1] -> mean and log variance of its code, [B, latent] each, float32.

    The image is resized bilinearly to `size`; 3x3 convolutions of stride 2, spectrally normalized and behind each an
    instance norm, bring it to 4x4: six of them from 256, as released. 10,463,424 parameters at full size.
    """

    latent: int = 256
    width: int = 64
    size: int = 256
    dtype: Any = jnp.float32
    initial: str = "xavier_small"
    spectral_initial: str = "torch_kernels"

    @nn.compact
    def __call__(self, image, mode: Mode = TRAIN):
        y = image if image.shape[1:3] == (self.size, self.size) else bilinear(image, self.size)
        for i in range((self.size // 4).bit_length() - 1):
            y = Conv(self.width * min(2**i, 8), 3, stride=2, padding=1, use_bias=False, spectral=True, dtype=self.dtype,
                     initial=self.spectral_initial, name=f"conv_{i}")(leaky_relu(y) if i else y, mode)
            y = Norm("instance", track=False, name=f"norm_{i}")(y, mode)
        y = leaky_relu(y).reshape(len(y), -1).astype(jnp.float32)
        dense = dict(features=self.latent, kernel_init=dense_init(self.initial, y.shape[-1], self.latent))
        return nn.Dense(name="mean", **dense)(y), nn.Dense(name="log_variance", **dense)(y)


def dense_init(initial: str, inputs: int, outputs: int):
    """Initializer of a linear layer's kernel [inputs, outputs], as `layers.initializers` has it for a convolution."""
    kernel_init, _ = initializers(initial, (1, 1, inputs, outputs))
    return kernel_init


def draw(key: jax.Array, mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """A code [B, latent] from the normal distribution that the encoder tells."""
    return mean + jnp.exp(log_variance / 2) * jax.random.normal(key, mean.shape)
