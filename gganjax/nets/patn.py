"""Generators of PATN (Zhu et al. 2019) and of the Resnet rows beside it, as the pose recipe calls them.

Called with the source image [B, H, W, 3] in [-1, 1] and the maps of source and target pose together, [B, H, W, 2K] in
[0, 1]; they return the image [B, H, W, 3] in [-1, 1]. Height and width are multiples of 4.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.layers import TRAIN, Mode, concatenate
from gganjax.nets.pose import STRIDE, PoseDecoder, PoseEncoder, PoseStream


class AttentionalBlock(nn.Module):
    """Pose-attentional transfer block: image code [B, h, w, C] and pose code [B, h, w, d] -> [B, h, w, C], [B, h, w, 2C].

    The pose stream's sigmoid gates the image stream, which is added to the image code; the next pose code holds the
    pose stream and behind it the new image code.
    """

    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, image, pose, mode: Mode = TRAIN):
        features, stream = image.shape[-1], dict(norm=self.norm, dropout=self.dropout, dtype=self.dtype)
        change = PoseStream(features, name="image", **stream)(image, mode)
        gate = PoseStream(features, norm_last=False, name="pose", **stream)(pose, mode)
        image = image + change * jax.nn.sigmoid(gate)
        return image, concatenate(gate, image)


class PATNGenerator(nn.Module):
    """PATN: two encoders, `blocks` attentional blocks, a decoder of the image code, tanh.

    41,365,763 parameters with batch norms, 9 blocks and 18 joints; 41,358,019 with instance norms. The last block's
    pose code is not used. With `details` also {"attention": the last block's gate, [B, H/4, W/4, 1], the mean over its
    channels, -1 where it is shut and 1 where it is open}. With `features` in its place what the last convolution sees,
    [B, H, W, width].
    """

    width: int = 64
    blocks: int = 9
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32

    stride = STRIDE
    looks = ("attention",)

    @nn.compact
    def __call__(self, source, poses, mode: Mode = TRAIN, details: bool = False, features: bool = False):
        image = PoseEncoder(self.width, self.norm, self.dtype, name="image_encoder")(source, mode)
        pose = PoseEncoder(self.width, self.norm, self.dtype, name="pose_encoder")(poses, mode)
        for i in range(self.blocks):
            image, pose = AttentionalBlock(self.norm, self.dropout, self.dtype, name=f"block_{i}")(image, pose, mode)
        decoder = PoseDecoder(self.width, 3, self.norm, self.dtype, name="decoder")
        if features:
            made, seen = decoder(image, mode, features=True)
            return jnp.tanh(made), seen
        made = jnp.tanh(decoder(image, mode))
        if not details:
            return made
        gate = jax.nn.sigmoid(pose[..., : image.shape[-1]].astype(jnp.float32))
        return made, {"attention": 2 * gate.mean(-1, keepdims=True) - 1}


class ResnetPoseGenerator(nn.Module):
    """The Resnet generator of the thesis' Table 4.4: image and maps in one stream of `blocks` residual blocks, tanh.

    The thesis replaces the block "with the residual block" and no code of it is public: this form, with the encoder and
    decoder of PATN, is our reading. 11,496,323 parameters with batch norms, 9 blocks and 18 joints: a quarter of PATN.
    """

    width: int = 64
    blocks: int = 9
    norm: str = "batch"
    dropout: float = 0.5
    dtype: Any = jnp.float32

    stride = STRIDE

    @nn.compact
    def __call__(self, source, poses, mode: Mode = TRAIN):
        seen = concatenate(source, poses)
        y = PoseEncoder(self.width, self.norm, self.dtype, name="encoder")(seen, mode)
        for i in range(self.blocks):
            y = y + PoseStream(y.shape[-1], self.norm, self.dropout, self.dtype, name=f"block_{i}")(y, mode)
        return jnp.tanh(PoseDecoder(self.width, 3, self.norm, self.dtype, name="decoder")(y, mode))
