"""The ST-GCN of a `dance_style` run as a frozen network: for the pose perceptual loss and for metrics of dances.

The weights that the baseline was trained with are not to be had, so every user trains a classifier of styles; a number
that was measured with it is told with the hash of its parameters.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from gganjax import checkpoint
from gganjax.errors import InputError
from gganjax.nets.stgcn import FrozenSTGCN

METHOD, NET = "dance_style", "classifier"


def network(run: str | Path) -> tuple[FrozenSTGCN, Callable[[], dict], dict]:
    """Returns the network of a run, the function that loads its parameters, and what results say of it.

    The last is {"network", "run", "step", "styles", "frames"}; `identity` adds the hash. Only a small file is read
    here, and none where the folder is gone: a trained model of which the network was a loss alone can be used without
    it. The function that loads then says so.

    Raises:
      InputError: there is no checkpoint in the folder, or it is not of a `dance_style` run.
    """
    if not Path(run).exists():
        return FrozenSTGCN(), lambda: load(run), {}
    meta = checkpoint.read_meta(run)
    if meta["method"] != METHOD:
        raise InputError(f"{run} is a run of the method {meta['method']}, expected one of {METHOD}.")
    options = meta["config"]["options"]
    module = FrozenSTGCN(len(options["styles"]), options["width"])
    facts = {"network": "stgcn", "run": str(run), "step": meta["step"], "styles": list(options["styles"]),
             "frames": options["frames"]}
    return module, lambda: load(run), facts


def load(run: str | Path) -> dict:
    """Returns the parameters of the frozen network: what the run's classifier learned and its running statistics."""
    if not Path(run).exists():
        raise InputError(f"{run} does not exist; expected the folder of a {METHOD} run.")
    stored = checkpoint.load_networks(run, [NET])
    params = stored["ema"].get(NET, stored["params"][NET])
    return {"trained": {"params": params, "moving": stored["moving"][NET]}}


def identity(params: dict, facts: dict) -> dict:
    """Returns `facts` of the network with "sha256" of its parameters: of their names, shapes and values in order."""
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = np.ascontiguousarray(leaf, np.float32)
        digest.update(f"{jax.tree_util.keystr(path, simple=True, separator='/')} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return facts | {"sha256": digest.hexdigest()}


class Features:
    """Features of dances by the ST-GCN of a run: `features(poses [N, F, 18, 2]) -> float32 [N, 4 width]`.

    They are the last block's outputs, averaged over frames and joints (256 numbers at full size).

    Attributes:
      identity: what a result says of the network, its hash included.
    """

    def __init__(self, run: str | Path, *, batch_size: int = 64):
        module, read, facts = network(run)
        self._params, self._batch_size = read(), batch_size
        self.identity = identity(self._params, facts)
        self._run = jax.jit(lambda params, poses: module.apply({"params": params}, poses)[-1].mean((1, 2)))

    def __call__(self, poses: np.ndarray) -> np.ndarray:
        poses, size = np.asarray(poses, np.float32), self._batch_size
        found = []
        for start in range(0, len(poses), size):
            part = poses[start:start + size]
            rows = np.resize(np.arange(len(part)), size)  # every batch has one shape: it is compiled once
            found.append(np.asarray(self._run(self._params, part[rows]))[:len(part)])
        return np.concatenate(found)
