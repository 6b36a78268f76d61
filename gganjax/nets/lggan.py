"""LGGAN's generators: one encoder, and heads for a global image, for local images by class, and for their weights.

The local head filters the features by the mask of each class and gives every class a convolution of its own (thesis
6.3.1); the global head makes the whole image; the result is their sum, weighted in each pixel. Two forms follow the
released code, which the text leaves open: across views on a residual encoder, and from label maps on GauGAN's trunk.
Pictures are [B, H, W, 3] in [-1, 1], codes [B, h, w, C].
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.features.resizing import nearest
from gganjax.layers import TRAIN, Conv, Mode
from gganjax.nets import upsampling
from gganjax.nets.localglobal import (
    ENLARGE,
    ClassImages,
    ClassScores,
    CodeEncoder,
    Enlargement,
    FusionWeights,
    ResidualBlocks,
    fused,
    inside,
    shown,
)
from gganjax.nets.spade import SpadeTrunk, to_image
from gganjax.nets.upsampling import POINTS, Upsample, kernel_names, kernel_pictures


class CrossViewGenerator(nn.Module):
    """LGGAN across views: picture and target guidance [B, H, W, 6], classes [B, H, W] -> the images, by name.

    Classes are 1 to `classes`, 0 is void; the local image is the sum of those of the classes. The result holds
    "fake_target", "fake_global", "fake_local", "class_images" [B, H, W, K, 3] and with `scores` the logits of the
    classifier, "scores" [B, K, K]. At full size 12,191,258 parameters, of which the 9,411 of a seventh class are
    unused.

    Attributes:
      upsampler: of the global head, "transposed" or a kind of `nets.upsampling`.
      sau_local: whether one SAU doubles the last code for all heads (f' in the text).
      fusion: "weights" or "mean".
      weight_norm: see `FusionWeights`.
      scores, divide_by_area: whether there is a classifier, and how it averages, see `ClassScores`.
      points: of the pictures of SAU's weights, shares of height and width.
    """

    width: int = 64
    blocks: int = 9
    classes: int = 6
    upsampler: str = ENLARGE
    sau_local: bool = False
    fusion: str = "weights"
    weight_norm: bool = False
    scores: bool = False
    divide_by_area: bool = False
    points: Sequence[tuple[float, float]] = POINTS
    dtype: Any = jnp.float32
    initial: str = "normal"

    stride = 4

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        return (*inside(range(1, self.classes + 1), self.fusion), *kernel_names(self.kernel_paths, self.points))

    @property
    def kernel_paths(self) -> dict[str, str]:
        """Names and paths of the SAUs."""
        heads = {f"global_{i}": f"global_enlargement/upsample_{i}/sau" for i in (0, 1)}
        if self.sau_local:
            del heads["global_0"]
        shared = {"code": "code_upsample/sau"} if self.sau_local else {}
        return shared | (heads if self.upsampler.startswith("sau") else {})

    @nn.compact
    def __call__(self, x, classes, mode: Mode = TRAIN, details: bool = False):
        make, classes = dict(dtype=self.dtype, initial=self.initial), classes.astype(jnp.int32) - 1
        with upsampling.watching() as kernels:
            code = CodeEncoder(self.width, name="encoder", **make)(x, mode)[-1]
            code = ResidualBlocks(self.blocks, name="residual", **make)(code, mode)
            if self.sau_local:
                code = Upsample("sau", name="code_upsample", **make)(code, mode)
            enlarge = dict(width=self.width, begun=self.sau_local, **make)
            features = Enlargement(name="local_enlargement", **enlarge)(code, mode)
            y = Enlargement(kind=self.upsampler, name="global_enlargement", **enlarge)(code, mode)
        images = ClassImages(self.classes, spare=1, name="class_images", **make)(features, classes)
        y = Conv(3, 7, padding=3, pad_mode="reflect", name="global_head", **make)(y)
        out = {"fake_global": jnp.tanh(y.astype(jnp.float32)), "fake_local": images.sum(3), "class_images": images}
        if self.fusion == "weights":
            out["weights"] = FusionWeights(norm=self.weight_norm, name="weights", **enlarge)(code, mode)
        if self.scores:
            classifier = ClassScores(self.classes, self.divide_by_area, self.initial, name="classifier")
            out["scores"] = classifier(features, classes)
        out["fake_target"] = fused(out)
        if details:
            out |= shown(out, self.looks) | kernel_pictures(kernels, self.kernel_paths, self.points, x.shape[1:3])
        return out


class SemanticGenerator(nn.Module):
    """LGGAN from label maps: semantics [B, H, W, S] -> the images, by name, as `CrossViewGenerator`.

    An encoder of four levels, as wide as the trunk, takes the place of GauGAN's first convolution, and its second code
    is that of the local head and of the weights. The first `labels` channels are the one-hot labels. Where there are
    more of them than `local_classes`, the last class stands for all others and is not classified. The local image is
    the sum of the class images or, "conv", the tanh of a 3x3 convolution of all. 111,123,495 parameters on Cityscapes
    and 115,091,019 on ADE20K, with those of GauGAN's first convolution that the released code keeps and never calls,
    `spare_first`.

    Attributes:
      trunk: GauGAN's; its upsampler "sau" makes LGGAN++.
      blocks: residual ones of the local head.
      labels, local_classes: see above.
      local: "sum" or "conv".
      sau_local: whether one SAU doubles what the local head and the weights enlarge.
      fusion, weight_norm, scores, divide_by_area, points: as in `CrossViewGenerator`.
    """

    trunk: SpadeTrunk
    blocks: int = 9
    labels: int = 35
    local_classes: int = 35
    local: str = "conv"
    sau_local: bool = False
    fusion: str = "weights"
    weight_norm: bool = False
    scores: bool = True
    divide_by_area: bool = False
    spare_first: bool = False
    points: Sequence[tuple[float, float]] = POINTS

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return self.trunk.stride

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        return (*inside(range(self.local_classes), self.fusion), *kernel_names(self.kernel_paths, self.points))

    @property
    def kernel_paths(self) -> dict[str, str]:
        """Names and paths of the SAUs."""
        shared = {"code": "code_upsample/sau"} if self.sau_local else {}
        return shared | {level: f"trunk/{path}" for level, path in self.trunk.kernel_paths.items()}

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, details: bool = False):
        make = dict(dtype=self.trunk.dtype, initial=self.trunk.initial)
        classes = self.classes_of(semantics)
        with upsampling.watching() as kernels:
            codes = CodeEncoder(self.trunk.width, levels=4, name="encoder", **make)(semantics, mode)
            base = [side // self.stride for side in semantics.shape[1:3]]
            y = self.trunk(semantics, mode, start=nearest(codes[-1], base))
            local, weighed = ResidualBlocks(self.blocks, name="residual", **make)(codes[1], mode), codes[1]
            if self.sau_local:
                double = Upsample("sau", name="code_upsample", **make)
                local, weighed = double(local, mode), double(weighed, mode)
        enlarge = dict(width=self.trunk.width, begun=self.sau_local, **make)
        features = Enlargement(name="local_enlargement", **enlarge)(local, mode)
        images = ClassImages(self.local_classes, name="class_images", **make)(features, classes)
        out = {"fake_global": to_image(y, self.trunk, name="image"), "class_images": images}
        out["fake_local"] = images.sum(3)
        if self.local == "conv":
            joined = Conv(3, 3, padding=1, name="local_head", **make)(images.reshape(*images.shape[:3], -1))
            out["fake_local"] = jnp.tanh(joined.astype(jnp.float32))
        if self.fusion == "weights":
            out["weights"] = FusionWeights(norm=self.weight_norm, name="weights", **enlarge)(weighed, mode)
        if self.scores:
            out["scores"] = ClassScores(self.scored, self.divide_by_area, self.trunk.initial, name="classifier")(
                features, classes)
        if self.spare_first and self.is_initializing():
            Conv(16 * self.trunk.width, 3, name="spare_first", **make)(semantics)
        out["fake_target"] = fused(out)
        if details:
            size = semantics.shape[1:3]
            out |= shown(out, self.looks) | kernel_pictures(kernels, self.kernel_paths, self.points, size)
        return out

    @property
    def scored(self) -> int:
        """Number of classes that are classified."""
        return self.local_classes - (self.local_classes < self.labels)

    def classes_of(self, semantics):
        """The local classes, int32 [B, H, W]; -1 where no label is."""
        labels = semantics[..., : self.labels]
        found = jnp.minimum(jnp.argmax(labels, -1), self.local_classes - 1)
        return jnp.where(labels.max(-1) > 0, found, -1).astype(jnp.int32)
