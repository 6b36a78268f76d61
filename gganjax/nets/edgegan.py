"""EdgeGAN's generator: edges that guide an image, on the features of any backbone (thesis 6.4).

Semantics are [B, H, W, S], features [B, H, W, C]. The sizes are those of the code that its authors first published for
the successor ECGAN: the thesis does not tell them, but they give its numbers of parameters.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, concatenate, leaky_relu
from gganjax.nets.dagan import scaled, signed

WIDTHS = (32, 16, 8)  # of the hidden layers of both branches
TRANSFERS = ("both", "feature", "content", "none")


class EdgeGANGenerator(nn.Module):
    """EdgeGAN: semantics -> {"fake_edges", "coarse", "fake_target": [B, H, W, 3]}, what there is of them.

    The backbone's features F go through two branches of four 3x3 convolutions, a leaky ReLU before each. The edge
    branch makes I_e' ("fake_edges", a tanh). In the image branch every hidden layer i becomes i sigmoid(e) + i with the
    layer e of the edge branch (transfer of features), and the picture, a tanh, likewise with I_e' (of content): that is
    I' ("coarse"), whose values may reach 1.731. The semantic preserving module joins F, I', I_e' and the semantics,
    brings them to a channel for each class, weighs each class c by 1 + sigmoid of its mean over all positions, brings
    them back and makes I'' ("fake_target", a tanh). Without it I' is the result, under that name.

    With Cityscapes' semantics GauGAN's trunk makes 93,166,252 parameters. They count a linear layer that nothing
    calls, which the code has, too (`spare_linear`).

    With `details` the dictionary also holds the pictures that `looks` names: "edge_attention_1" to "_3", the channels'
    mean of sigmoid(e), "edge_attention_content", sigmoid(I_e'), and "class_1" ..., the weighed features of a class by
    their largest magnitude.

    Attributes:
      backbone: network of (semantics, mode) or (semantics, mode, z) -> features, with `stride`, `dtype` and
        the initializations `initial` and `spectral_initial`.
      classes: of the labels, without those of the unknown and of instance edges.
      edges: whether there is an edge branch; without it only the image branch is left (rows of Table 6.15).
      transfer: of "feature", "content", "both" or "none", where there are edges.
      semantic: whether there is a semantic preserving module; it needs the edge branch.
      spectral: whether these convolutions have spectral norm (text); the code has it in the backbone alone.
      spare_linear: whether the unused layer is there.
    """

    backbone: nn.Module
    classes: int
    edges: bool = True
    transfer: str = "both"
    semantic: bool = True
    spectral: bool = False
    spare_linear: bool = True

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return self.backbone.stride

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the pictures that `details` adds."""
        found = [f"edge_attention_{i}" for i in range(1, len(WIDTHS) + 1)] * self.of_features
        found += ["edge_attention_content"] * self.of_content
        return (*found, *(f"class_{i}" for i in range(1, self.classes + 1) if self.semantic))

    @property
    def of_features(self) -> bool:
        """Whether hidden layers of the edge branch guide those of the image branch."""
        return self.edges and self.transfer in ("both", "feature")

    @property
    def of_content(self) -> bool:
        """Whether the edges guide the picture."""
        return self.edges and self.transfer in ("both", "content")

    @nn.compact
    def __call__(self, semantics, mode: Mode = TRAIN, z=None, details: bool = False):
        features = self.backbone(semantics, mode, *(() if z is None else (z,)))
        conv = dict(size=3, padding=1, spectral=self.spectral, dtype=self.backbone.dtype,
                    initial=self.backbone.spectral_initial if self.spectral else self.backbone.initial)
        layer = lambda x, width, name: Conv(width, name=name, **conv)(leaky_relu(x), mode)
        guides, shown, out = [], {}, {}
        if self.edges:
            e = features
            for i, width in enumerate(WIDTHS):
                e = layer(e, width, f"edge_{i}")
                guides.append(jax.nn.sigmoid(e))
                shown[f"edge_attention_{i + 1}"] = signed(guides[-1].mean(-1, keepdims=True))
            out["fake_edges"] = jnp.tanh(layer(e, 3, f"edge_{len(WIDTHS)}").astype(jnp.float32))
        x = features
        for i, width in enumerate(WIDTHS):
            x = layer(x, width, f"image_{i}")
            x = x * guides[i] + x if self.of_features else x
        picture = jnp.tanh(layer(x, 3, f"image_{len(WIDTHS)}").astype(jnp.float32))
        if self.of_content:
            guide = jax.nn.sigmoid(out["fake_edges"])
            picture, shown["edge_attention_content"] = picture * guide + picture, signed(guide)
        if self.semantic:
            out["coarse"] = picture
            joined = concatenate(features, *(x.astype(features.dtype) for x in (picture, out["fake_edges"], semantics)))
            of_class = layer(joined, self.classes, "classes")
            if self.spare_linear:
                nn.Dense(self.classes, name="spare")(jnp.zeros((1, self.classes)))
            weight = jax.nn.sigmoid(of_class.astype(jnp.float32).mean((1, 2), keepdims=True))
            of_class = of_class + of_class * weight.astype(of_class.dtype)
            shown |= {f"class_{i + 1}": scaled(of_class[..., i : i + 1]) for i in range(self.classes) if details}
            y = layer(of_class, joined.shape[-1], "joined")
            picture = jnp.tanh(layer(y, 3, "fine").astype(jnp.float32))
        out["fake_target"] = picture
        return out | {name: shown[name] for name in self.looks if details}
