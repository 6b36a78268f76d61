"""Guided image-to-image GANs in JAX and Flax: an image and the structure it should take give the image that shows it."""

__all__ = ["load"]


def __getattr__(name):
    """Imports what is exported at its first use: the command line checks its arguments before jax is loaded."""
    if name == "load":
        from gganjax.use import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
