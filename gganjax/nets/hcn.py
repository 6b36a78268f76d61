"""The discriminators of dances: a convolutional co-occurrence network on poses and their motion, as in the baseline.

HCN (Li et al. 2018) learns of each joint by itself first and then takes the joints for the channels, so that every
joint meets every other. Layers and sizes are those of DanceGAN's baseline, Music-Dance-Video-Synthesis (MDVS, Ren et
al. 2020); kernels start as uniform Glorot, biases at 0. Poses are [B, F, V, 2] in [-1, 1].
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from gganjax.errors import InputError
from gganjax.layers import TRAIN, Dropout, Mode, concatenate
from gganjax.nets.audio import MusicEncoder
from gganjax.nets.sequence import convolve, linear

JOINT_CHANNELS = 32  # of what each joint is by itself, before the joints become the channels
LEAST_FRAMES = 18  # that four poolings leave something of
WINDOW, STEP = 5, 3  # frames of a window that is judged by itself, and from one window to the next


class HCN(nn.Module):
    """Features of poses and of their motion, [B, F, V, 2] -> [B, N] and the outputs of the layers.

    Two streams of four convolutions each, for positions and for their differences in time, which are stretched to F
    frames again; two convolutions on what both have. With `pooled` a max pooling halves the sizes behind the
    third to sixth convolution, otherwise behind the sixth alone. Returned are the last layer's values, channel by
    channel, and a list of what the six convolutions give (those of the positions), activated and pooled.
    """

    width: int = 64
    pooled: bool = True
    dropout: float = 0.5

    @nn.compact
    def __call__(self, poses, mode: Mode = TRAIN):
        stages = self._stream(poses, "position", mode)
        motion = self._stream(resize(poses[:, 1:] - poses[:, :-1], poses.shape[1]), "motion", mode)[-1]
        y = concatenate(stages[-1], motion)
        for i, features in ((5, 2 * self.width), (6, 4 * self.width)):
            y = nn.relu(convolve(y, features, (3, 3), f"conv_{i}", padding=(1, 1), glorot=True))
            y = self._dropped(y, mode)
            y = halve(y) if self.pooled or i == 6 else y
            stages.append(y)
        return y.transpose(0, 3, 1, 2).reshape(len(y), -1), stages

    def _stream(self, x, name, mode):
        def layer(x, features, size, number, padding=(0, 0)):
            return convolve(x, features, size, f"{name}_{number}", padding=padding, glorot=True)

        stages = [nn.relu(layer(x, self.width, (1, 1), 1))]
        stages.append(layer(stages[-1], JOINT_CHANNELS, (3, 1), 2))
        y = stages[-1].swapaxes(2, 3)  # the joints become the channels
        for i, features in ((3, self.width // 2), (4, self.width)):
            y = layer(y, features, (3, 3), i, (1, 1))
            y = self._dropped(y, mode) if i == 4 else y
            y = halve(y) if self.pooled else y
            stages.append(y)
        return stages

    def _dropped(self, x, mode):
        """Drops whole channels."""
        return nn.Dropout(self.dropout, broadcast_dims=(1, 2), deterministic=not mode.dropout)(x)


def resize(x: jax.Array, frames: int) -> jax.Array:
    """Stretches x [B, T, V, C] in time to so many frames, linear between the middles of the frames."""
    return jax.image.resize(x, (x.shape[0], frames, *x.shape[2:]), "linear", antialias=False)


def halve(x: jax.Array) -> jax.Array:
    """Max pooling of 2x2, x [B, H, W, C] -> [B, H // 2, W // 2, C].

    As a maximum over reshaped axes it is differentiated twice, for the gradient penalty, in few operations.
    """
    batch, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max((2, 4))


def windows(poses: jax.Array) -> jax.Array:
    """Cuts poses [B, F, V, 2] into windows of 5 frames, 3 frames apart: [B, N, 5, V, 2]; 50 frames make 16."""
    count = (poses.shape[1] - WINDOW) // STEP + 1
    return jnp.stack([poses[:, STEP * i : STEP * i + WINDOW] for i in range(count)], axis=1)


class LocalDiscriminator(nn.Module):
    """Judges windows of 5 frames, [B, F, V, 2] -> logits [B, N] of the N windows.

    Width 64 makes 1,552,001 parameters. The baseline's outputs are the sigmoids.
    """

    width: int = 64
    dropout: float = 0.5

    @nn.compact
    def __call__(self, poses, mode: Mode = TRAIN):
        cut = windows(poses)
        codes, _ = HCN(self.width, False, self.dropout, name="poses")(cut.reshape(-1, *cut.shape[2:]), mode)
        y = Dropout(self.dropout)(nn.relu(linear(codes, 4 * self.width, "dense_0", glorot=True)), mode)
        return linear(y, 1, "dense_1", glorot=True).reshape(cut.shape[:2])


class GlobalDiscriminator(nn.Module):
    """Judges a dance and its music together, poses [B, F, V, 2] and music [B, F, 1600] -> logits [B, 1].

    The music, through an encoder of its own and a self-attention over the frames, and the poses become a code each, and
    both codes are judged as two channels. The dense layer ties a network to one number of frames. Full size makes
    3,788,393 parameters.

    With `listen` it returns the code of the music alone, [B, audio_width], which may be given in place of the music: it
    is heard once for all dances to it. With `features` it returns what the convolutions of the poses give, dropout off,
    for feature matching. `view_bug` mixes samples and frames of the encoded music as the baseline's code does for more
    than one sample, to load published weights only.
    """

    width: int = 64
    audio_width: int = 256
    first: int = 16
    dropout: float = 0.5
    view_bug: bool = False

    @nn.compact
    def __call__(self, poses, audio, mode: Mode = TRAIN, listen: bool = False, features: bool = False):
        if poses.shape[1] < LEAST_FRAMES:
            raise InputError(f"the global discriminator judges dances of at least {LEAST_FRAMES} frames, found "
                             f"{poses.shape[1]}.")
        encoder = HCN(self.width, True, self.dropout, name="poses")
        if features:
            return encoder(poses, mode._replace(dropout=False))[1]
        heard = self._heard(audio, mode) if audio.ndim == 3 else audio
        if listen:
            return heard
        code, _ = encoder(poses, mode)
        code = Dropout(self.dropout)(nn.relu(linear(code, 2 * self.audio_width, "dense_0", glorot=True)), mode)
        code = linear(code, self.audio_width, "dense_1", glorot=True)
        y = convolve(jnp.stack([heard, code], axis=-1), 1, (2,), "join")
        return linear(y[..., 0], 1, "head")

    def _heard(self, audio, mode):
        hidden = MusicEncoder(self.audio_width, self.first, name="music")(audio, mode)
        if self.view_bug:
            batch, frames, width = hidden.shape
            hidden = hidden.reshape(frames, batch, width).swapaxes(0, 1)
        return SelfAttention(dropout=self.dropout, name="attention")(hidden, mode)


class SelfAttention(nn.Module):
    """Sum over the frames by learned shares, [B, F, C] -> [B, C] (Lin et al. 2017, one row of attention)."""

    hidden: int = 20
    dropout: float = 0.5

    @nn.compact
    def __call__(self, x, mode: Mode = TRAIN):
        y = jnp.tanh(linear(Dropout(self.dropout)(x, mode), self.hidden, "hidden", bias=False))
        shares = jax.nn.softmax(linear(y, 1, "scores", bias=False), axis=1)
        return (shares * x).sum(axis=1)
