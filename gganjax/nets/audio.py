"""The encoder of music that DanceGAN takes from Music-Dance-Video-Synthesis (Ren et al. 2020).

Music is cut into pieces of a tenth of a second, one for each frame of the video: [B, F, 1600] amplitudes at 16 kHz. The
published networks see raw 16-bit amplitudes as floats; the first batch norm takes their scale away.
"""

import flax.linen as nn
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.layers import TRAIN, Mode
from gganjax.nets.sequence import GRU, batch_norm, convolve, linear
from gganjax.sound import PIECE

# (kernel, stride, padding) of the convolutions: 5 ms wide at a stride of 1 ms, then strides of the prime factors of the
# remaining 100 with kernels twice as long, and one that spans what is left.
LAYERS = ((80, 16, 32), (4, 2, 1), (4, 2, 1), (10, 5, 3), (5, 1, 0))


class PieceEncoder(nn.Module):
    """Codes of single pieces, [B, F, 1600] -> [B, F, width] in [-1, 1].

    Five convolutions over time of `first`, 2, 4 and 8 times `first`, and `width` channels; all but the last with a
    batch norm over the pieces of all videos and a ReLU, the last with a tanh.
    """

    width: int = 256
    first: int = 16

    @nn.compact
    def __call__(self, audio, mode: Mode = TRAIN):
        batch, frames, samples = audio.shape
        if samples != PIECE:
            raise InputError(f"the encoder of music takes pieces of {PIECE} samples, found {samples}.")
        y, last = audio.reshape(batch * frames, samples, 1), len(LAYERS) - 1
        for i, (size, stride, padding) in enumerate(LAYERS):
            features = self.width if i == last else self.first * 2**i
            y = convolve(y, features, (size,), f"conv_{i}", stride=(stride,), padding=(padding,))
            y = nn.relu(batch_norm(y, f"norm_{i}", mode)) if i < last else jnp.tanh(y)
        return y.reshape(batch, frames, self.width)


class MusicEncoder(nn.Module):
    """Music in its course, [B, F, 1600] -> [B, F, width] for any F.

    The codes of the pieces, a bidirectional GRU of two layers and a linear layer. Width 256 and `first` 16 make
    2,361,808 parameters.
    """

    width: int = 256
    first: int = 16

    @nn.compact
    def __call__(self, audio, mode: Mode = TRAIN):
        y = PieceEncoder(self.width, self.first, name="pieces")(audio, mode)
        for i in range(2):
            y = GRU(self.width, True, name=f"gru_{i}")(y)
        return linear(y, self.width, "head")
