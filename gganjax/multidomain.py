"""What multi-domain methods share: target labels, one picture of every domain, and the columns of their grids.

A label is float32 [B, M], 0 or 1 for each of M named domains. Domains exclude each other where they are folders of
pictures; attributes may hold together, but for those that a list names as exclusive (a head has one hair color).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gganjax.errors import InputError

TARGETS = ("permuted", "given")


def check(domains: Sequence[str], exclusive: Sequence[str], classification: str) -> None:
    """Holds the names of domains against each other; an InputError names the option."""
    if len(domains) < 2 or len(set(domains)) < len(domains):
        raise InputError(f"options.domains must hold at least two different names, found {tuple(domains)}.")
    unknown = [name for name in exclusive if name not in domains]
    if unknown:
        raise InputError(f"options.exclusive holds {unknown}, expected some of {tuple(domains)}.")
    if exclusive and classification == "softmax":
        raise InputError("options.exclusive is for options.classification 'attributes': domains of 'softmax' all "
                         f"exclude each other, found {tuple(exclusive)}.")


def targets(key: jax.Array, batch, source: str) -> jax.Array:
    """Labels [B, M] to translate to while training.

    Args:
      key: of the permutation.
      batch: holds "source_domain" and "target_domain".
      source: "permuted", the batch's own labels in another order (the reference codes; a batch of one image gets its
        own label), or "given", the batch's "target_domain".
    """
    if source == "given":
        return batch["target_domain"]
    return jax.random.permutation(key, batch["source_domain"])


def every_target(label: jax.Array, domains: Sequence[str], exclusive: Sequence[str]) -> dict[str, jax.Array]:
    """One wish a domain, {name: labels [B, M]}: an exclusive one alone among its like, any other one toggled.

    Args:
      label: of the images, [B, M].
      domains: their names, in the order of the labels.
      exclusive: names of those that exclude each other.
    """
    group = jnp.array([name in exclusive for name in domains])
    wished = {}
    for place, name in enumerate(domains):
        this = jnp.arange(len(domains)) == place
        alone = jnp.where(this, 1.0, jnp.where(group, 0.0, label))
        wished[name] = alone if name in exclusive else jnp.where(this, 1.0 - label, label)
    return wished


def overview(translate, batch, domains: Sequence[str], exclusive: Sequence[str]) -> dict[str, jax.Array]:
    """The sources in every domain: {"to <name>": [B, H, W, 3]}.

    Args:
      translate: (images, labels) -> images.
      batch: holds "source", and "source_domain" unless all domains exclude each other.
      domains, exclusive: as in `every_target`.
    """
    label = batch.get("source_domain", jnp.zeros((len(batch["source"]), len(domains)), jnp.float32))
    wished = every_target(label, domains, exclusive)
    # A loop on the device: the generator is compiled once, and its activations are those of one domain at a time.
    images = jax.lax.map(lambda target: translate(batch["source"], target), jnp.stack(list(wished.values())))
    return {f"to {name}": image for name, image in zip(wished, images, strict=True)}


def panels(batch, out) -> dict[str, jax.Array]:
    """Columns of the picture grid: the source, and what `sample` or `overview` made of it."""
    made = {"translated" if name == "fake_target" else name: images for name, images in out.items()}
    return {"source": batch["source"], **made}
