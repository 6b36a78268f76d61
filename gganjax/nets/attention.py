"""Attention of every position to every other, exact, and without the whole matrix of energies where that is large.

`attention` is softmax(queries keys^T) values, unscaled as XingGAN writes it. At DeepFashion's 256x256 one matrix of a
batch of 32 holds 2 GiB, and a generator of nine blocks would keep eighteen of them with their softmax and gradients,
115 GiB in all. Three forms compute the same:

  "plain"    the whole matrix: for small ones.
  "chunked"  some of its rows at a time, recomputed in the backward pass: everywhere.
  "fused"    cuDNN's kernel: on NVIDIA GPUs, in bfloat16 or float16.
"""

import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from gganjax.errors import check_choices

FORMS = ("plain", "chunked", "fused")
CHOICES = {"attention": ("auto", *FORMS)}
ROWS = 4096  # of the matrix at a time in the chunked form: 64 MiB at 256x256
PLAIN_BYTES = 2**26  # of the float32 energies of a call; Market's 32 images in both directions at once, 64 x 512 x 512
FUSED_WIDTHS = {8: 128, 9: 256}  # widest head that cuDNN takes, by NVIDIA's compute capability from which on


def attention(queries, keys, values, *, form: str = "auto", rows: int = ROWS) -> jax.Array:
    """softmax(queries keys^T) values, with the softmax over the keys and no scaling.

    Args:
      queries: [B, N, D].
      keys: [B, M, D].
      values: [B, M, C].
      form: one of `FORMS`, or "auto" for what `choose` says.
      rows: of the matrix at a time in the chunked form, as in `by_images`; they need not divide N.

    Returns:
      [B, N, C] in the type of `values`. Energies and softmax are float32 in every form.
    """
    check_choices(CHOICES, attention=form)
    if form == "auto":
        form = choose(queries.shape, keys.shape, values.shape, values.dtype)
    if form == "chunked":
        return by_images(lambda *parts: _by_queries(*parts, rows), queries, keys, values, rows=rows)
    return (_fused if form == "fused" else _plain)(queries, keys, values)


def choose(queries: tuple[int, ...], keys: tuple[int, ...], values: tuple[int, ...], dtype, *, device=None) -> str:
    """Which form "auto" takes: plain while the matrix is small, else fused where cuDNN can, else chunked.

    cuDNN wants 16-bit types, NVIDIA's compute capability 8.0 or more, and heads of query, key and value of one width, a
    multiple of 8 up to 128, or 256 from 9.0 on (the limits that `jax.nn.dot_product_attention` holds it to). XingGAN's
    released widths, 32 and 256, fit as eight heads; the thesis' single width of 256 fits from 9.0 on.

    Args:
      queries, keys, values: shapes as in `attention`.
      dtype: of the computation.
      device: that will compute; the first one here unless given.
    """
    batch, positions, width = queries
    if 4 * batch * positions * keys[1] <= PLAIN_BYTES:
        return "plain"
    found = re.fullmatch(r"(\d+)\.\d+", getattr(device or jax.local_devices()[0], "compute_capability", ""))
    widest = max((FUSED_WIDTHS[since] for since in FUSED_WIDTHS if found and since <= int(found[1])), default=0)
    fits = jnp.dtype(dtype).itemsize == 2 and width <= widest and width % 8 == 0 and values[2] % width == 0
    return "fused" if fits else "chunked"


def by_images(function: Callable, *codes: jax.Array, rows: int = ROWS):
    """function(*codes), some images at a time, each time recomputed in the backward pass.

    Nothing but the codes is kept of it until then. What belongs to the attention and lies in front of it or behind it,
    such as the convolutions that make query, key and value, is best in the function too.

    Args:
      function: of arrays [b, N, C_i], of any b, that treats every image alone; returns arrays [b, ...], one or a tree.
      *codes: [B, N, C_i].
      rows: b N at most; b is 1 where a single image has more, and else the largest divisor of B that fits.
    """
    batch, positions = codes[0].shape[:2]
    images = max((n for n in range(1, batch + 1) if batch % n == 0 and n * positions <= rows), default=1)
    if images == batch:
        return function(*codes)
    parts = [x.reshape(batch // images, images, *x.shape[1:]) for x in codes]
    # Within a loop nothing could merge the recomputation with the forward pass, so it needs no barrier against that.
    out = lax.map(lambda part: jax.checkpoint(function, prevent_cse=False)(*part), parts)
    return jax.tree.map(lambda x: x.reshape(batch, *x.shape[2:]), out)


def _by_queries(queries, keys, values, rows: int):
    """Some queries at a time, recomputed in the backward pass, where the images have more than `rows` each."""
    batch, positions, width = queries.shape
    if positions <= rows:
        return _plain(queries, keys, values)
    count = -(-positions // rows)
    padded = jnp.pad(queries, ((0, 0), (0, count * rows - positions), (0, 0)))  # whose rows are cut away below
    visit = jax.checkpoint(lambda part: _plain(part, keys, values), prevent_cse=False)
    out = lax.map(visit, padded.reshape(batch, count, rows, width).swapaxes(0, 1))  # [count, B, rows, C]
    return out.swapaxes(0, 1).reshape(batch, count * rows, values.shape[2])[:, :positions]


def _plain(queries, keys, values):
    energies = jnp.einsum("bnd,bmd->bnm", queries, keys, preferred_element_type=jnp.float32)
    weights = jax.nn.softmax(energies, axis=-1).astype(values.dtype)
    return jnp.einsum("bnm,bmc->bnc", weights, values)


def _fused(queries, keys, values, implementation: str = "cudnn"):
    """The value's channels become heads of the query's width, which all share one query and one key."""
    batch, positions, channels = values.shape
    width = queries.shape[2]
    heads = channels // width
    shared = [jnp.broadcast_to(x[:, :, None], (*x.shape[:2], heads, width)) for x in (queries, keys)]
    split = values.reshape(batch, positions, heads, width)
    out = jax.nn.dot_product_attention(*(x.astype(values.dtype) for x in shared), split, scale=1.0,
                                       implementation=implementation)
    return out.reshape(batch, queries.shape[1], channels)
