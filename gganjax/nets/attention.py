"""Attention of every position to every other, exact, and without the whole matrix of energies where that is large.

`attention` is softmax(query key^T) value, unscaled as XingGAN writes it. At DeepFashion's 256x256 one matrix of a batch
of 32 holds 2 GiB, and a generator of nine blocks would keep eighteen of them with their softmax and gradients, 115 GiB in
all. Three forms compute the same:

  "plain"    the whole matrix: for small ones.
  "chunked"  rows of the matrix, `chunk` queries at a time, recomputed in the backward pass: everywhere.
  "fused"    cuDNN's kernel: on NVIDIA GPUs, in bfloat16 or float16.
"""

import jax
import jax.numpy as jnp
from jax import lax

from gganjax.errors import check_choices

FORMS = ("plain", "chunked", "fused")
CHOICES = {"attention": ("auto", *FORMS)}
CHUNK = 256  # queries at a time
PLAIN_BYTES = 2**26  # of the float32 energies of a call; Market's 32 images in both directions at once, 64 x 512 x 512
FUSED_WIDTH = 128  # of a head, at most and a multiple of 8: what cuDNN takes on every GPU from Ampere on


def attention(query, key, value, *, form: str = "auto", chunk: int = CHUNK) -> jax.Array:
    """softmax(query key^T) value, with the softmax over the keys and no scaling.

    Args:
      query: [B, N, D].
      key: [B, M, D].
      value: [B, M, C].
      form: one of `FORMS`, or "auto" for what `choose` says.
      chunk: queries at a time in the chunked form; it need not divide N.

    Returns:
      [B, N, C] in the type of `value`. Energies and softmax are float32 in every form.
    """
    check_choices(CHOICES, attention=form)
    if form == "auto":
        form = choose(query.shape, key.shape, value.shape, value.dtype)
    if form == "fused":
        return _fused(query, key, value)
    if form == "chunked" and chunk < query.shape[1]:
        return _chunked(query, key, value, chunk)
    return _plain(query, key, value)


def choose(query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], dtype, *,
           platform: str | None = None) -> str:
    """Which form "auto" takes: plain while the matrix is small, else fused where cuDNN can, else chunked.

    cuDNN wants 16-bit types, heads of equal widths for query, key and value, and widths that are multiples of 8; it
    takes 128 on every GPU since Ampere. XingGAN's released widths 32 and 256 fit as eight heads, the thesis' width of
    256 does not and is chunked.

    Args:
      query, key, value: shapes as in `attention`.
      dtype: of the computation.
      platform: "cpu", "gpu" or "tpu"; the one in use unless given.
    """
    rows, queries, width = query
    if 4 * rows * queries * key[1] <= PLAIN_BYTES:
        return "plain"
    fits = jnp.dtype(dtype).itemsize == 2 and width <= FUSED_WIDTH and width % 8 == 0 and value[2] % width == 0
    return "fused" if fits and (platform or jax.default_backend()) == "gpu" else "chunked"


def _plain(query, key, value):
    energies = jnp.einsum("bnd,bmd->bnm", query, key, preferred_element_type=jnp.float32)
    weights = jax.nn.softmax(energies, axis=-1).astype(value.dtype)
    return jnp.einsum("bnm,bmc->bnc", weights, value)


def _chunked(query, key, value, chunk: int):
    batch, queries, width = query.shape
    count = -(-queries // chunk)
    padded = jnp.pad(query, ((0, 0), (0, count * chunk - queries), (0, 0)))  # whose rows are cut away below
    rows = padded.reshape(batch, count, chunk, width).swapaxes(0, 1)
    # Within a loop nothing could merge the recomputation with the forward pass, so it needs no barrier against that.
    visit = jax.checkpoint(lambda part: _plain(part, key, value), prevent_cse=False)
    out = lax.map(visit, rows)  # [count, B, chunk, C]
    return out.swapaxes(0, 1).reshape(batch, count * chunk, value.shape[2])[:, :queries]


def _fused(query, key, value, implementation: str = "cudnn"):
    """The value's channels become heads of the query's width, which all share one query and one key."""
    batch, keys, channels = value.shape
    width = query.shape[2]
    heads = channels // width
    shared = [jnp.broadcast_to(x[:, :, None], (*x.shape[:2], heads, width)) for x in (query, key)]
    split = value.reshape(batch, keys, heads, width)
    out = jax.nn.dot_product_attention(*(x.astype(value.dtype) for x in shared), split, scale=1.0,
                                       implementation=implementation)
    return out.reshape(batch, query.shape[1], channels)
