"""Rules by which the kernels of a network are drawn, where it is not the N(0, 0.02) of the layers."""

import zlib
from typing import NamedTuple

import flax.linen as nn
import jax

# Kernels are [height, width, inputs, outputs]; the fans count the kernel's positions, as PyTorch's do.
RULES = {
    "xavier": nn.initializers.variance_scaling(1.0, "fan_avg", "normal"),  # C2GAN's, of gain 1
    "kaiming": nn.initializers.variance_scaling(2.0, "fan_in", "normal"),
    "orthogonal": nn.initializers.orthogonal(0.02),
}
CHOICES = ("normal", *RULES)


class Drawn(NamedTuple):
    """A network that is called as ever but whose kernels start by another rule; biases and norms stay as they are."""

    net: nn.Module
    rule: str

    def init(self, key, *inputs):
        """The network's variables, every kernel drawn anew."""
        def draw(path, leaf):
            name = jax.tree_util.keystr(path)
            if path[-1].key != "kernel":
                return leaf
            return RULES[self.rule](jax.random.fold_in(keys, zlib.crc32(name.encode())), leaf.shape, leaf.dtype)
        keys = key["params"] if isinstance(key, dict) else key
        return jax.tree_util.tree_map_with_path(draw, self.net.init(key, *inputs))

    def apply(self, *arguments, **options):
        """The network's own."""
        return self.net.apply(*arguments, **options)


def drawn(net: nn.Module, rule: str):
    """The network with its kernels drawn by a rule of `CHOICES`."""
    return net if rule == "normal" else Drawn(net, rule)
