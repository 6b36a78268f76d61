"""A run folder with an untrained GestureGAN of toy width and the embedded data, for the tests of what comes after training."""

import json
from pathlib import Path

import jax
import numpy as np
import optax

from gganjax import checkpoint, core, methods, settings

SIZE = 32
CONFIG = {
    "method": "gesturegan",
    "options": {"width": 4, "blocks": 1, "discriminator_width": 4, "discriminator_layers": 1, "perceptual": "none"},
    "seed": 0,
    "data": {"kind": "drawn", "load_size": SIZE, "crop_size": SIZE, "people": 2, "test_people": 2, "poses": 3},
    "evaluate": {"metrics": ("psnr", "ssim", "lpips"), "feature_weights": "released", "published": {},
                 "norm": "batch", "dropout": False, "limit": 5, "batch_size": 2, "images": 3, "truncate": False},
}


def make(folder: Path, *, steps: tuple[int, ...] = (7,), config: dict = CONFIG, method=None) -> Path:
    """Write a run folder with a checkpoint for each of the steps and return it; `method` by default that of the config."""
    method = method or methods.load(config["method"], config["options"])
    optimizers = {player: optax.sgd(0.1) for player in method.players}
    start = lambda: core.init(method, optimizers, config["seed"], settings.example(config, method))
    # Filling the shapes with noise takes no compilation, and any weights serve here.
    random = np.random.default_rng(0)
    state = jax.tree.map(lambda x: random.normal(0, 0.2, x.shape).astype(x.dtype), jax.eval_shape(start))
    state = state.replace(moving=jax.tree.map(np.abs, state.moving))
    for step in steps:
        meta = {"method": method.name, "frozen": list(method.frozen), "config": config}
        checkpoint.save(folder / "checkpoints", state.replace(step=np.int32(step)), meta, keep=len(steps))
    (folder / "config.json").write_text(json.dumps(config))
    return folder
