"""AlexNet trained on the 365 scene classes of Places: scores, KL and accuracies of the cross-view papers."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.features.frozen import max_pool
from gganjax.features.nets import AlexNet

SIZE = 224


class ScenesOutputs(NamedTuple):
    """What `AlexNetPlaces` returns: features [B, 6, 6, 256], logits and probabilities [B, 365], float32."""

    features: jax.Array
    logits: jax.Array
    probabilities: jax.Array


class AlexNetPlaces(nn.Module):
    """Returns `ScenesOutputs` for images [B, 224, 224, 3] in [-1, 1]; dropout is off.

    `resizing.pillow_crop` brings pictures of other sizes to 224x224 as the published code does. Widths are divided
    by `divisor`. The features are flattened channel by channel, as the release's first linear layer expects.
    """

    divisor: int = 1
    classes: int = 365
    normalized: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x) -> ScenesOutputs:
        if x.ndim != 4 or x.shape[1:] != (SIZE, SIZE, 3):
            raise InputError(f"the scene classifier takes images [B, {SIZE}, {SIZE}, 3], got {tuple(x.shape)}")
        trunk = AlexNet(width=64 // self.divisor, normalized=self.normalized, dtype=self.dtype, name="trunk")
        features = max_pool(trunk(x)[-1])
        x = jnp.transpose(features, (0, 3, 1, 2)).reshape(len(x), -1)
        for name in ("classifier.1", "classifier.4"):
            x = nn.relu(nn.Dense(4096 // self.divisor, dtype=self.dtype, name=name)(x))
        logits = nn.Dense(self.classes, dtype=self.dtype, name="classifier.6")(x).astype(jnp.float32)
        return ScenesOutputs(features, logits, jax.nn.softmax(logits))
