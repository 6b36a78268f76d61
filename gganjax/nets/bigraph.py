"""BiGraphGAN's generator: pose codes that reason over a bipartite graph and gate the appearance code (thesis 4.4).

Pictures are [B, H, W, 3] in [-1, 1], poses the joint maps of source and target behind each other, [B, H, W, 2K] in
[0, 1]; activations are [B, h, w, C] at a quarter of the size. Two forms: "thesis" follows the text, with a code for
each of the poses a (source) and b (target); "released" is the authors' code, in which a and b are the halves of one
pose code's channels.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from gganjax.layers import TRAIN, Conv, Mode, Norm, UpConv, concatenate, initializers
from gganjax.nets.pose import STRIDE, PoseDecoder, PoseEncoder, PoseStream, pose_norm

FORMS = ("thesis", "released")
DIRECTIONS = {"none": "", "b2a": "a", "a2b": "b", "both": "ab"}  # which of the codes the graph updates
FUSIONS = ("mask", "linear2", "none")
INITIAL = "normal_kernels"  # the release starts all convolutions, one-dimensional ones too, at N(0, 0.02)


class Mixing(nn.Module):
    """One linear map over the last axis, [..., n] -> [..., n], computed in float32."""

    use_bias: bool

    @nn.compact
    def __call__(self, x):
        size = x.shape[-1]
        kernel_init, bias_init = initializers(INITIAL, (1, 1, size, size))
        y = x @ self.param("kernel", kernel_init, (size, size))
        return y + self.param("bias", bias_init, (size,)) if self.use_bias else y


class GraphConvolution(nn.Module):
    """Reasoning over the nodes of a graph, V [B, states, nodes] -> M of the same shape.

    "thesis": M = (I - A) V W with learned A over the nodes and W over the states (Eq. 4.10). "released":
    W ReLU(V + A V + bias), the Laplacian's sign left to learning.
    """

    form: str = "thesis"

    @nn.compact
    def __call__(self, v):
        released = self.form == "released"
        mixed = Mixing(released, name="nodes")(v)
        v = nn.relu(v + mixed) if released else v - mixed
        return Mixing(False, name="states")(v.swapaxes(1, 2)).swapaxes(1, 2)


class GraphReasoning(nn.Module):
    """Bipartite graph reasoning, codes (a, b), each [B, h, w, C] -> the updated ones (thesis Eq. 4.9 to 4.11).

    B2A projects the states of a onto nodes read off b, V = nodes(b)^T states(a), a sum over all positions; convolves
    the graph; brings it back with the same nodes and adds it to a. A2B is the same with a and b exchanged; both see
    the codes as they came. A code that no direction updates passes unchanged. Cost and memory are linear in h w.

    "thesis" has convolutions of its own for each direction and nothing behind the extension. "released" shares the
    convolutions and normalizes the extension by a batch norm of epsilon 1e-4, also where all other norms are instance
    norms: one layer that runs, and moves its statistics, for a and then for b. The text gives neither the sizes of
    the graph nor biases of its convolutions; both are the release's: 128 states, 64 nodes, a bias to both but not to
    the extension.

    Attributes:
      states, nodes: sizes of the graph.
      directions: "none", "b2a", "a2b" or "both".
      share_gcn: whether both directions have one graph convolution; nothing else is meant (row B4 of Table 4.7).
      form: "thesis" or "released".
      dtype: of the 1x1 convolutions; the sums over the positions and the graph are float32.
    """

    states: int = 128
    nodes: int = 64
    directions: str = "both"
    share_gcn: bool = False
    form: str = "thesis"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, a, b, mode: Mode = TRAIN):
        codes, layers = {"a": a, "b": b}, {}

        def layer(name: str, make):
            if name not in layers:
                layers[name] = make(name)
            return layers[name]

        def conv(kind: str, code: str, features: int, use_bias: bool = True):
            return layer(kind if self.form == "released" else f"{kind}_{code}", lambda name: Conv(
                features, 1, use_bias=use_bias, dtype=self.dtype, initial=INITIAL, name=name))

        def reason(own: str, other: str):
            states = conv("states", own, self.states)(codes[own])
            nodes = conv("nodes", other, self.nodes)(codes[other])
            graph = jnp.einsum("bhws,bhwn->bsn", states, nodes, preferred_element_type=jnp.float32)
            name = "gcn" if self.share_gcn else f"gcn_{own}"
            convolve = layer(name, lambda name: GraphConvolution(self.form, name=name))
            graph = convolve(graph)
            back = jnp.einsum("bsn,bhwn->bhws", graph, nodes, preferred_element_type=jnp.float32)
            message = conv("extend", own, codes[own].shape[-1], use_bias=False)(back)
            if self.form == "released":
                norm = layer("extend_norm", lambda name: Norm("batch", initial=INITIAL, epsilon=1e-4, name=name))
                message = norm(message, mode)
            return codes[own] + message

        updated = {own: reason(own, "ab".replace(own, "")) for own in DIRECTIONS[self.directions]}
        return tuple((codes | updated).values())


class InteractionBlock(nn.Module):
    """Interaction and aggregation: image code [B, h, w, C] and pose code [B, h, w, d] -> the next ones.

    "thesis" (d = C, the codes a and b behind each other): the graph updates a and b; two convolutions of both and a
    sigmoid make the gate A; the image code becomes A * code + code; two convolutions of it and of the codes before the
    reasoning make the next ones. The text leaves the convolutions open: here they are the release's stream of two 3x3
    ones with norm, ReLU and dropout between, and a norm behind those of the codes, which keeps the reasoning, cubic
    in them, bounded. The last block makes no codes, which nothing would read.

    "released" (d = C, then 2C): a stream of convolutions for each code; the graph reasons over the halves of the pose
    stream; its sigmoid gates the image stream, which is added to the image code; the next pose code is the reasoned one
    with the new image code behind it.
    """

    form: str = "thesis"
    bgr: str = "both"
    share_gcn: bool = False
    states: int = 128
    nodes: int = 64
    last: bool = False
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, image, pose, mode: Mode = TRAIN):
        features, stream = image.shape[-1], dict(norm=self.norm, dropout=self.dropout, dtype=self.dtype)
        if self.form == "released":
            change = PoseStream(features, name="image", **stream)(image, mode)
            pose = self._reason(PoseStream(features, norm_last=False, name="pose", **stream)(pose, mode), mode)
            image = image + change * nn.sigmoid(pose)
            return image, concatenate(pose, image)
        gate = PoseStream(features, norm_last=False, name="gate", **stream)(self._reason(pose, mode), mode)
        image = image * nn.sigmoid(gate) + image
        if not self.last:
            pose = PoseStream(features, name="codes", **stream)(concatenate(image, pose), mode)
        return image, pose

    def _reason(self, pose, mode):
        if self.bgr == "none":
            return pose
        graph = GraphReasoning(self.states, self.nodes, self.bgr, self.share_gcn, self.form, self.dtype, name="graph")
        return concatenate(*graph(*jnp.split(pose, 2, axis=-1), mode))


class ImageFusion(nn.Module):
    """Attention-based image fusion (thesis 4.4): mixes the generated picture with the source by maps read off x.

    "mask" is one map A behind a sigmoid, source * A + generated * (1 - A), from two transposed convolutions with norm
    and ReLU and a 1x1 one ("several deconvolutional layers"). "linear2" is the release's: the same layers with neither
    norm nor activation, two maps, generated * first + source * second, which nothing keeps in [-1, 1].

    Called with x [B, H/4, W/4, C] and both pictures, it returns the mixed one and the weights of source and generated
    picture, [B, H, W, 1] each.
    """

    kind: str = "mask"
    width: int = 64
    norm: str = "batch"
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x, source, generated, mode: Mode = TRAIN):
        linear = self.kind == "linear2"
        use_bias, conv = self.norm != "batch", dict(dtype=self.dtype, initial=INITIAL)
        for i in range(2):
            x = UpConv(self.width * 2 ** (1 - i), 3, use_bias=use_bias, name=f"up_{i}", **conv)(x)
            x = x if linear else nn.relu(pose_norm(self.norm, INITIAL, f"up_{i}_norm")(x, mode))
        maps = Conv(2 if linear else 1, 1, use_bias=use_bias or not linear, name="head", **conv)(x).astype(jnp.float32)
        of_source = maps[..., 1:] if linear else nn.sigmoid(maps)
        of_generated = maps[..., :1] if linear else 1 - of_source
        return source * of_source + generated * of_generated, of_source, of_generated


class BiGraphGenerator(nn.Module):
    """Source [B, H, W, 3] and poses [B, H, W, 2K] -> picture [B, H, W, 3]; height and width are multiples of 4.

    Form "thesis" applies one shape encoder to each of the two poses, which gives the codes a and b of half the image
    code's channels; form "released" has one encoder of both poses. `blocks` interaction blocks, a decoder and the
    fusion follow. Released with "linear2": 42,476,995 parameters (norm "batch", 18 joints); without fusion 42,100,483
    (norm "instance"); without reasoning and fusion it is PATN.

    Attributes:
      width: of the encoders' first layer; the image code has 4 * width channels.
      blocks: T, 9 in text and release.
      norm, dropout: see `nets.pose`.
      form: "thesis" or "released".
      bgr: directions of the reasoning, "both", "b2a", "a2b" or "none".
      share_gcn: whether the directions share their graph convolution.
      aif: fusion, "mask" (thesis), "linear2" (released Market form) or "none" (released DeepFashion form).
      states, nodes: sizes of the graph; 0 is 2 * width and width, 128 and 64 of the release.
    """

    width: int = 64
    blocks: int = 9
    norm: str = "batch"
    dropout: float = 0.5
    form: str = "thesis"
    bgr: str = "both"
    share_gcn: bool = False
    aif: str = "mask"
    states: int = 0
    nodes: int = 0
    dtype: Any = jnp.float32

    stride = STRIDE

    @property
    def looks(self) -> tuple[str, ...]:
        """Names of the further pictures of Figure 4.13, where there is a fusion."""
        return () if self.aif == "none" else ("intermediate", "source_attention", "generated_attention")

    @nn.compact
    def __call__(self, source, poses, mode: Mode = TRAIN, details: bool = False):
        """The picture; with `details` also those of `looks` by name, in [-1, 1], maps as gray pictures [B, H, W, 1].

        A map's 0 is black and its 1 white; what maps of "linear2" are beyond is cut off.
        """
        image = PoseEncoder(self.width, self.norm, self.dtype, name="image_encoder")(source, mode)
        pose = self._encoded(poses, mode)
        for i in range(self.blocks):
            image, pose = InteractionBlock(
                self.form, self.bgr, self.share_gcn, self.states or 2 * self.width, self.nodes or self.width,
                i == self.blocks - 1, self.norm, self.dropout, self.dtype, name=f"block_{i}")(image, pose, mode)
        picture, seen = jnp.tanh(PoseDecoder(self.width, 3, self.norm, self.dtype, name="decoder")(image, mode)), {}
        if self.aif != "none":
            fusion = ImageFusion(self.aif, self.width, self.norm, self.dtype, name="fusion")
            mixed, *maps = fusion(image, source, picture, mode)
            pictures = picture, *(2 * jnp.clip(weight, 0, 1) - 1 for weight in maps)
            picture, seen = mixed, dict(zip(self.looks, pictures, strict=True))
        return (picture, seen) if details else picture

    def _encoded(self, poses, mode):
        if self.form == "released":
            return PoseEncoder(self.width, self.norm, self.dtype, name="pose_encoder")(poses, mode)
        encoder = PoseEncoder(self.width // 2, self.norm, self.dtype, name="pose_encoder")
        both = jnp.concatenate(jnp.split(poses, 2, axis=-1))  # two calls stacked along the batch
        return concatenate(*jnp.split(encoder(both, mode._replace(calls=2 * mode.calls)), 2))
