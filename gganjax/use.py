"""A trained model as a function on NumPy images.

    import gganjax
    translate = gganjax.load("runs/gesturegan")
    picture = translate(source=photo, target_guidance=skeleton)
    picture = gganjax.load("runs/stargan")(source=photo, target_domain="male_noble")
    street = gganjax.load("runs/gaugan")
    labels = street.read_labels("map.png")
    labels[labels == 5] = 8  # trees become cars
    picture = street(labels=labels, seed=1)

Images are [B, H, W, C], or [H, W, C] for a single one: uint8, or floats in [-1, 1]. The result is of the same kind.
Label maps and instance maps are whole numbers [B, H, W] or [H, W], and what is made of them is uint8.
A domain is a vector [M] of 0 and 1, or [B, M], or a name of `method.domains`, or a list of B names; "A+B" is the name
of both, where a picture may be in several.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gganjax import checkpoint, core, devices, methods
from gganjax.data import labels
from gganjax.data import settings as data_settings
from gganjax.errors import InputError, nearest
from gganjax.report import to_uint8

CHUNK = 8  # images that go through the networks together; a batch of any size is cut into such pieces


class Translator:
    """A method with trained networks; calling it translates images.

    Attributes:
        method: the system, see `core.Method`; `method.inputs` names the images that a call takes.
        config: the configuration of the run as a dictionary.
        step: number of training steps behind the networks.
    """

    def __init__(self, method: core.Method, networks: Mapping[str, Any], config: dict, step: int, *,
                 norm: str = "batch", dropout: bool = False, chunk: int = CHUNK):
        self.method, self.config, self.step = method, config, step
        self._params = {**networks["params"], **networks["ema"]}
        self._moving, self._chunk = networks["moving"], chunk
        self._sample = devices.compile_sample(method, norm=norm, dropout=dropout)

    def __repr__(self) -> str:
        return f"<{self.method.name} after {self.step:,} steps: takes {', '.join(self.method.inputs)}>"

    def __call__(self, *, seed: int = 0, **images: np.ndarray) -> Any:
        """Translate one image or a batch.

        Args:
            seed: seed of what the method draws at random, such as the style of a label map; without dropout GestureGAN
                draws nothing.
            **images: every field of `method.inputs`, [B, H, W, C] or [H, W, C], uint8 or floats in [-1, 1]; domains
                also by name, and one domain for all images; label and instance maps [B, H, W] or [H, W].

        Returns:
            The translated images, float32 in [-1, 1] if the first input was of floats, uint8 otherwise; with a batch axis if
            the inputs had one; a dictionary of such arrays if the method returns several.

        Raises:
            InputError: an image is missing, unknown, or of the wrong type, range, size or number of channels, or
                there is no such domain.
        """
        arrays, single = self._check(images)
        as_uint8 = not np.issubdtype(arrays[self.method.inputs[0]].dtype, np.floating)
        out = self.outputs(arrays, seed=seed)
        out = {name: to_uint8(image) if as_uint8 else image for name, image in out.items()}
        out = {name: image[0] if single else image for name, image in out.items()}
        return out if len(out) > 1 else next(iter(out.values()))

    def read_labels(self, path: str | Path) -> np.ndarray:
        """Read a label map for this model, int32 [H, W], as those it was trained on: size, classes and unknown pixels.

        Raises:
            InputError: it is no label map, has colors but the data set has no palette, or a label is none of the classes.
        """
        return labels.read_labels(path, data_settings.resolve(self.config["data"]))

    def outputs(self, batch: Mapping[str, np.ndarray], *, seed: int = 0) -> dict[str, np.ndarray]:
        """Run the method's `sample` on checked arrays [B, ...]; returns float32 images in [-1, 1] by name.

        A piece of the batch holds one row or `chunk` rows, the last ones repeated, so there are two compilations for
        each size of image at most. Repeated rows would enter the statistics of a batch norm in "batch" mode.
        """
        rows = len(batch[self.method.inputs[0]])
        pieces = []
        for start in range(0, rows, self._chunk):
            count = min(self._chunk, rows - start)
            take = [min(start + row, rows - 1) for row in range(1 if count == 1 else self._chunk)]
            piece = {name: np.asarray(batch[name])[take] for name in self.method.inputs}
            key = jax.random.fold_in(jax.random.key(seed), start)
            out = self._sample(self._params, self._moving, piece, key)
            pieces.append({name: image[:count] for name, image in out.items()})
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def _check(self, images: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], bool]:
        """The inputs with a batch axis, and whether it had to be added."""
        for name in images:
            if name not in self.method.inputs:
                raise InputError(f"'{name}' is no input of {self.method.name}{nearest(name, self.method.inputs)}.")
        missing = [name for name in self.method.inputs if name not in images]
        if missing:
            raise InputError(f"'{missing[0]}' is missing: {self.method.name} takes {', '.join(self.method.inputs)}.")
        images = dict(images)
        for name in self.method.inputs:
            if name.endswith("_domain"):
                rows = np.shape(images["source"])[:-3]  # () for a single image
                images[name] = _domains(images[name], self.method.domains, rows)
        arrays = {name: _checked(name, images[name], self.method.fields[name]) for name in self.method.inputs}
        axes = {name: array.ndim - len(self.method.fields[name].shape) for name, array in arrays.items()}
        if len(set(axes.values())) > 1:
            shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
            raise InputError(f"all inputs must have a batch axis or none, found {shapes}.")
        single = -1 in axes.values()
        arrays = {name: array[None] if single else array for name, array in arrays.items()}
        core.check_fields(self.method, arrays, self.method.inputs)
        if not len(arrays[self.method.inputs[0]]):
            raise InputError(f"'{self.method.inputs[0]}' holds no image.")
        return arrays, single


def domain_vector(name: str, domains: Sequence[str]) -> np.ndarray:
    """The label vector float32 [M] of a domain, or of several joined by "+"; an InputError names the nearest one."""
    vector = np.zeros(len(domains), np.float32)
    for one in [name] if name in domains else name.split("+"):
        if one not in domains:
            raise InputError(f"'{one}' is no domain{nearest(one, domains)}.")
        vector[list(domains).index(one)] = 1
    return vector


def _domains(given: Any, domains: Sequence[str], rows: tuple[int, ...]) -> np.ndarray:
    """Names as vectors, and one domain as many times as there are images."""
    if isinstance(given, str):
        given = domain_vector(given, domains)
    elif isinstance(given, (list, tuple)) and given and all(isinstance(name, str) for name in given):
        given = np.stack([domain_vector(name, domains) for name in given])
    vectors = np.asarray(given)
    if vectors.dtype.kind in "biu":
        vectors = vectors.astype(np.float32)
    return np.broadcast_to(vectors, (*rows, *vectors.shape)) if vectors.ndim == 1 else vectors


def _checked(name: str, image: Any, field: core.Field) -> np.ndarray:
    """The input as uint8, or as float32 within the range of its field."""
    array, picture = np.asarray(image), field.shape[-3:-1] == ("H", "W")
    if field.shape[1:] == ("H", "W"):
        return _numbers(name, array, field)
    if array.dtype == np.uint8 and picture:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"'{name}' must be uint8 or float, found {array.dtype}.")
    if array.size and not (np.min(array) >= field.low - 1e-3 and np.max(array) <= field.high + 1e-3):
        found = f"{np.min(array):.4g} to {np.max(array):.4g}"
        kinds = "uint8, or floats" if picture else "numbers"
        raise InputError(f"'{name}' must be {kinds} from {field.low:g} to {field.high:g}, found {found}.")
    return array.astype(np.float32)


def _numbers(name: str, array: np.ndarray, field: core.Field) -> np.ndarray:
    """A map of whole numbers, int32, held to its field."""
    if array.ndim > 1 and (array.ndim > len(field.shape) or array.shape[-1] == 3):
        raise InputError(f"'{name}' must be whole numbers [B, H, W] or [H, W], found {list(array.shape)}; a color picture is "
                         "turned into classes by read_labels of the loaded model.")
    if not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"'{name}' must be whole numbers, found {array.dtype}.")
    if array.size and not (np.min(array) >= field.low and np.max(array) <= field.high):
        raise InputError(f"'{name}' must be whole numbers from {field.low:g} to {field.high:.10g},"
                         f" found {np.min(array)} to {np.max(array)}.")
    return array.astype(np.int32)


def load(folder: str | Path, *, norm: str | None = None, dropout: bool | None = None, chunk: int = CHUNK) -> Translator:
    """Load the newest good checkpoint for use.

    Args:
        folder: a run folder, its `checkpoints` folder, or the folder of one checkpoint.
        norm: "batch" normalizes by the image at hand, "running" by stored statistics; None as the run's config says.
        dropout: whether dropout stays active; None as the run's config says.
        chunk: images that go through the networks together.

    Raises:
        InputError: there is no such folder, or no checkpoint in it that can be read.
    """
    folder = Path(folder)
    if not folder.exists():
        raise InputError(f"{folder} does not exist; expected a run folder or a checkpoint.")
    meta = checkpoint.read_meta(folder)
    config = meta["config"]
    method = methods.load(config["method"], config["options"])
    evaluate = config["evaluate"]
    return Translator(
        method, checkpoint.load_networks(folder), config, meta["step"], chunk=chunk,
        norm=evaluate["norm"] if norm is None else norm, dropout=evaluate["dropout"] if dropout is None else dropout)
