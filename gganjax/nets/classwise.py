"""A convolution for each class, of the features inside its mask alone, for all classes at once.

LGGAN's local generator filters the features by the mask of each class and gives every class a convolution of its own
(thesis 6.3.1). Literally that is a masked copy of the features for each of up to 151 classes. But a pixel lies in one
class only, so that it matters to one convolution. Here every pixel is multiplied by the kernel of its own class, which
gives its share in all pixels around it, and the shares are summed in the image of that class: as much work as one
convolution, whatever the number of classes, in a handful of operations.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from gganjax.layers import pad

ROWS = 256  # pixels of one class that are multiplied together


def classwise_conv(x: jax.Array, classes: jax.Array, kernels: jax.Array) -> jax.Array:
    """Convolves x M_k with the kernel of class k, for every k; M_k is 1 in the pixels of that class and 0 elsewhere.

    Borders are mirrored, features and masks alike.

    Args:
      x: features [B, H, W, C].
      classes: int32 [B, H, W]; 0 to K - 1, any other number is of no class.
      kernels: [K, size, size, C, O], size odd.

    Returns:
      [B, H, W, K, O], float32.
    """
    batch, height, width, channels = x.shape
    count, size, _, _, outputs = kernels.shape
    classes = jnp.where((classes >= 0) & (classes < count), classes, count)
    flat = kernels.transpose(0, 3, 1, 2, 4).reshape(count, channels, -1)  # [K, C, size^2 O]
    shares = by_class(x.reshape(-1, channels), classes.reshape(-1), flat.astype(x.dtype))
    border = size // 2
    shares = pad(shares.reshape(batch, height, width, -1), border, "reflect")
    around = pad(classes[..., None], border, "reflect")[..., 0]
    return land(shares.reshape(*shares.shape[:3], size, size, outputs), around, count)


def by_class(x: jax.Array, classes: jax.Array, kernels: jax.Array) -> jax.Array:
    """Multiplies every row by the matrix of its class, x [N, C] and kernels [K, C, P] -> [N, P]; class K gives 0.

    Rows are brought in the order of their classes, each class filled up to whole blocks of rows, so that every block is
    an ordinary product.
    """
    (number, channels), count = x.shape, len(kernels)
    rows = min(ROWS, number)
    order = jnp.argsort(classes)
    first = jnp.searchsorted(classes[order], jnp.arange(count + 2))  # where each class begins in that order
    sizes = jnp.diff(first)
    blocks = -(-sizes // rows)
    ends = jnp.cumsum(blocks)
    begins = (ends - blocks) * rows  # where each class begins among the rows of the blocks
    total = number // rows + count + 1  # blocks at most
    class_of = jnp.searchsorted(ends, jnp.arange(total), side="right")  # count + 1 behind the last
    slot = jnp.arange(total * rows)
    owner = jnp.minimum(class_of, count).repeat(rows)
    within = slot - begins[owner]
    taken = order.at[first[owner] + within].get(mode="fill", fill_value=number)
    there = jnp.where((within < sizes[owner]) & (class_of <= count).repeat(rows), taken, number)
    back = (begins - first[:-1])[classes] + jnp.argsort(order)
    # Products with 0 or 1 pick each block's matrix exactly; their gradient is a sum of a fixed order.
    picked = jnp.einsum("tk,kcp->tcp", jax.nn.one_hot(class_of, count, dtype=kernels.dtype), kernels,
                        precision=lax.Precision.HIGHEST)
    filled = exchange(x, there, back).reshape(total, rows, channels)
    return exchange(jnp.einsum("trc,tcp->trp", filled, picked).reshape(total * rows, -1), back, there)


@jax.custom_vjp
def exchange(x: jax.Array, there: jax.Array, back: jax.Array) -> jax.Array:
    """Puts rows elsewhere: x [N, C] -> x[there] [M, C], 0 where `there` is beyond x.

    No row is taken twice and `back` tells where each went, so that the gradient is such an exchange, too.
    """
    return x.at[there].get(mode="fill", fill_value=0)


exchange.defvjp(lambda x, there, back: (exchange(x, there, back), (there, back)),
                lambda moved, slope: (exchange(slope, moved[1], moved[0]), None, None))


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def land(shares: jax.Array, classes: jax.Array, count: int) -> jax.Array:
    """Sums what pixels give to those around them, in the image of the class that they are of.

    Args:
      shares: [B, H + 2r, W + 2r, 2r + 1, 2r + 1, O]: of each pixel, by its place in the window around the other one.
      classes: int32 [B, H + 2r, W + 2r]; `count` is none.
      count: K.

    Returns:
      [B, H, W, K, O], float32.
    """
    size = shares.shape[3]
    height, width = (side - size + 1 for side in shares.shape[1:3])
    known = jnp.arange(count)
    total = jnp.zeros((), jnp.float32)
    for y in range(size):
        for x in range(size):
            rows, columns = slice(y, y + height), slice(x, x + width)
            inside = classes[:, rows, columns, None, None] == known[:, None]
            total += jnp.where(inside, shares[:, rows, columns, None, y, x].astype(jnp.float32), 0)
    return total


def _land(shares, classes, count):
    return land(shares, classes, count), (classes, jnp.zeros(shares.shape[:0], shares.dtype), shares.shape)


def _lift(count, seen, slope):
    """The gradient towards a share is that of the one number it was added to."""
    classes, example, (batch, height, width, size, _, outputs) = seen
    border = size - 1
    slope = jnp.pad(slope.astype(example.dtype), ((0, 0), (border, border), (border, border), (0, 0), (0, 0)))
    across = lambda number, axis: jnp.arange(number).reshape([-1 if i == axis else 1 for i in range(5)])
    rows = across(height, 1) + border - across(size, 3)
    columns = across(width, 2) + border - across(size, 4)
    place = (across(batch, 0) * slope.shape[1] + rows) * slope.shape[2] + columns
    kind = classes[..., None, None]
    place = jnp.where(kind < count, place * count + kind, slope.size)  # beyond the end: no class
    return slope.reshape(-1, outputs).at[place].get(mode="fill", fill_value=0), None


land.defvjp(_land, _lift)
