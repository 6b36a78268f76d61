"""Checkpoints: the whole State on disk, atomic, verified, the last few kept.

Layout: `<run folder>/checkpoints/<step>/` holds `state/` (the arrays, written by Orbax), `meta.json` (method, frozen
networks, configuration, shape and dtype of every array) and `files.json` (size and checksum of every file). All of it
is written under another name and renamed at the end, so a folder whose name is a number is complete, and a process
killed at any moment leaves the checkpoints before untouched. Reading verifies every file first.

Networks that no player moves (`method.frozen`) are left out; `restore` takes them from the freshly built State.
Under several processes process 0 alone writes and chooses the step to continue from; all read the same folder.
"""

import concurrent.futures
import contextlib
import json
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from gganjax.errors import InputError

log = logging.getLogger("gganjax")


class Damaged(Exception):
    """A checkpoint that cannot be read back as it was written; the message names the file."""


def save(folder: str | Path, state: Any, meta: dict, *, keep: int = 2) -> None:
    """Write one checkpoint and wait until it is on disk; arguments as for `saver` and the function it yields."""
    with saver(folder, keep=keep, after=None) as write:
        write(state, meta)


@contextlib.contextmanager
def saver(folder: str | Path, *, keep: int, after: int | None = 0) -> Iterator[Callable[[Any, dict], None]]:
    """Open the checkpoint folder for writing; yields `write(state, meta)`.

    `write` copies the State (arrays of one replica) and returns while a thread writes it; the next `write` and the
    end of the context wait for that thread and raise what it raised. `meta` is JSON with at least `method` (its
    name) and `frozen` (networks to leave out). The `keep` newest checkpoints stay. Checkpoints newer than step
    `after` are those that could not be restored: they are renamed to `<step>.damaged`, not deleted, so that the run
    can write these steps again (None leaves them). Processes other than 0 write nothing.
    """
    if jax.process_index() != 0:
        yield lambda state, meta: None
        return
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("*.partial"):
        shutil.rmtree(leftover)
    for path in complete(folder):
        if after is not None and int(path.name) > after:
            _free(folder, f"{path.name}.damaged", path)
    with concurrent.futures.ThreadPoolExecutor(1, "checkpoint") as thread:
        running: list[concurrent.futures.Future] = []

        def write(state: Any, meta: dict) -> None:
            # A copy, because the arrays may be views of device memory that the next step reuses.
            leaves = {name: np.array(x) for name, x in _leaves(state, meta["frozen"]).items()}
            while running:
                running.pop().result()
            running.append(thread.submit(_write, folder, leaves, meta, keep))

        yield write
        while running:
            running.pop().result()


def complete(folder: str | Path) -> list[Path]:
    """The complete checkpoints, newest first, of a run folder, its `checkpoints` folder, or one checkpoint itself."""
    folder = Path(folder).absolute()
    if (folder / "state").is_dir():
        return [folder]
    if (folder / "checkpoints").is_dir():
        folder = folder / "checkpoints"
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if path.name.isdigit()), key=lambda path: -int(path.name))


def restore(folder: str | Path, like: Any, method: str) -> Any:
    """The State of the newest checkpoint that can be read back, as numpy arrays in the structure of `like`.

    like: a State as `core.init` makes it; its frozen networks are kept. A checkpoint that is damaged is passed over
    with a warning that names the file. Raises InputError when nothing can be restored, when the checkpoint is of
    another method, or when its arrays do not fit `like`. All processes restore the step that process 0 could read.
    """
    if jax.process_count() == 1:
        return _restore(folder, like, method)
    from jax.experimental import multihost_utils

    state, failure = None, InputError(f"Process 0 could not restore a checkpoint from {folder}.")
    if jax.process_index() == 0:
        try:
            state = _restore(folder, like, method)
        except InputError as error:
            failure = error
    step = int(multihost_utils.broadcast_one_to_all(np.asarray(-1 if state is None else state.step, np.int32)))
    if step < 0:
        raise failure
    if state is None:
        at_step = [path for path in complete(folder) if int(path.name) == step]
        state = _restore(at_step[0] if at_step else Path(folder) / str(step), like, method)
    return state


def read_meta(folder: str | Path) -> dict:
    """The `meta` of the newest good checkpoint (`method`, `frozen`, `config`, ..., and its `step` and `arrays`)."""
    return _first_good(folder, _meta)


def load_networks(folder: str | Path, names: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Networks without their optimizers: `{"params": {net: tree}, "moving": {...}, "ema": {...}}` of numpy arrays.

    names: networks wanted (default: all that are stored). Only these arrays are read, whatever the optimizers and
    the number of devices were. Falls back like `restore`; raises InputError for a network that is not stored.
    """

    def read(path: Path) -> dict:
        arrays = _meta(path)["arrays"]
        stored = {name.split("/")[1] for name in arrays if name.startswith("params/")}
        wanted = stored if names is None else set(names)
        if missing := sorted(wanted - stored):
            raise InputError(f"{path} holds no network {missing[0]}, only {', '.join(sorted(stored))}.")
        parts = {name: name.split("/") for name in arrays}
        pick = [name for name, part in parts.items() if part[0] in ("params", "moving", "ema") and part[1] in wanted]
        tree = _nested(_arrays(path, pick))
        return {part: tree.get(part, {}) for part in ("params", "moving", "ema")}

    return _first_good(folder, read)


def start_from(folder: str | Path, state: Any, *, frozen: Iterable[str]) -> Any:
    """The State of a new run whose networks are those of another: parameters, the averages where there are any, statistics.

    Networks that the other run lacks stay as they were; optimizers, pools and the step are the new run's own.

    Args:
        folder: run folder, or a checkpoint's.
        state: of `core.init`.
        frozen: names of networks that no run stores.

    Raises:
        InputError: no network of that name there, or one with arrays of other names or shapes.
    """
    stored = load_networks(folder)
    found = {part: {net: tree for net, tree in getattr(state, part).items() if net in stored["params"]}
             for part in ("params", "moving")}
    if not found["params"]:
        needed = ", ".join(sorted(net for net in state.params if net not in frozen))
        raise InputError(f"{folder} holds the networks {', '.join(sorted(stored['params']))}, and none of {needed}.")
    new = {"params": {net: stored["ema"].get(net, stored["params"][net]) for net in found["params"]},
           "moving": {net: stored["moving"].get(net, {}) for net in found["moving"]}}
    ours, theirs = (_leaves(trees, ()) for trees in (found, new))
    for name in [*ours, *theirs]:
        shapes = [list(leaves[name].shape) if name in leaves else "no such array" for leaves in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise InputError(f"{folder} cannot start this run: it has {name} as {shapes[0]}, needed is {shapes[1]}.")
    params, moving = ({**getattr(state, part), **new[part]} for part in ("params", "moving"))
    return state.replace(params=params, moving=moving, ema={net: params[net] for net in state.ema})


def _write(folder: Path, leaves: dict[str, np.ndarray], meta: dict, keep: int) -> None:
    step = int(leaves["step"])
    partial = _free(folder, f"{step}.partial")
    partial.mkdir()
    with _orbax() as arrays:
        arrays.save(partial / "state", args=ocp.args.PyTreeSave(_nested(leaves)))
    described = {name: [list(x.shape), str(x.dtype)] for name, x in leaves.items()}
    (partial / "meta.json").write_text(json.dumps({**meta, "step": step, "arrays": described}))
    files = {str(path.relative_to(partial)): _fingerprint(path) for path in partial.rglob("*") if path.is_file()}
    (partial / "files.json").write_text(json.dumps(files))
    os.rename(partial, folder / str(step))
    for old in complete(folder)[keep:]:
        shutil.rmtree(_free(folder, f"{old.name}.partial", old))  # renamed first: never half a checkpoint under its name


def _restore(folder: str | Path, like: Any, method: str) -> Any:
    def read(path: Path) -> Any:
        meta = _meta(path)
        if meta["method"] != method:
            raise InputError(f"{path} is a checkpoint of the method {meta['method']}, not of {method}.")
        needed = _leaves(like, meta["frozen"])
        for name in sorted(needed.keys() ^ meta["arrays"].keys()):
            lacks = "lacks" if name in needed else "has, unlike this configuration,"
            raise InputError(f"{path} {lacks} the array {name}.")
        for name, (shape, dtype) in meta["arrays"].items():
            want = [list(needed[name].shape), str(needed[name].dtype)]
            if [shape, dtype] != want:
                raise InputError(f"{path} has {name} as {dtype}{shape}, this configuration needs {want[1]}{want[0]}.")
        arrays = _arrays(path, list(meta["arrays"]))
        paths, structure = jax.tree_util.tree_flatten_with_path(like)
        return structure.unflatten([arrays.get(_name(where), leaf) for where, leaf in paths])

    return _first_good(folder, read)


def _first_good(folder: str | Path, read: Callable[[Path], Any]) -> Any:
    """`read` of the newest complete checkpoint that is not damaged."""
    found = complete(folder)
    if not found:
        raise InputError(f"{folder} holds no checkpoint.")
    for path in found:
        try:
            return read(path)
        except Damaged as damage:
            log.warning("%s", damage)
    raise InputError(f"{folder} holds no checkpoint that can be read ({', '.join(path.name for path in found)} tried).")


def _meta(path: Path) -> dict:
    """Verify every file of a checkpoint and return its meta."""
    try:
        files = json.loads((path / "files.json").read_text())
        for name, recorded in files.items():
            if _fingerprint(path / name) != recorded:
                raise Damaged(f"The checkpoint {path} is damaged and passed over: {path / name} is not as it was written.")
        return json.loads((path / "meta.json").read_text())
    except (OSError, ValueError, AttributeError, KeyError) as error:
        where = getattr(error, "filename", None) or path / "files.json"
        raise Damaged(f"The checkpoint {path} is damaged and passed over: {where} cannot be read.") from error


def _arrays(path: Path, names: list[str]) -> dict[str, np.ndarray]:
    wanted = _nested({name: 0 for name in names})
    as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), wanted)
    with _orbax() as arrays:
        tree = arrays.restore(
            path / "state", args=ocp.args.PyTreeRestore(wanted, restore_args=as_numpy, partial_restore=True)
        )
    return {_name(where): leaf for where, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]}


def _orbax() -> ocp.Checkpointer:
    me = jax.process_index()  # every process reads for itself and 0 writes alone: nobody may wait for the others
    alone = ocp.options.MultiprocessingOptions(primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"of{me}")
    return ocp.Checkpointer(ocp.PyTreeCheckpointHandler(multiprocessing_options=alone), multiprocessing_options=alone)


def _leaves(state: Any, frozen: Iterable[str]) -> dict[str, Any]:
    """The State as named arrays, "params/generator/stem/kernel", without frozen networks and empty arrays."""
    skip = tuple(f"params/{net}/" for net in frozen)
    found = {_name(where): leaf for where, leaf in jax.tree_util.tree_flatten_with_path(state)[0]}
    # An array without elements carries nothing, and Orbax refuses it.
    return {name: x for name, x in found.items() if not name.startswith(skip) and np.size(x)}


def _name(where: tuple) -> str:
    return jax.tree_util.keystr(where, simple=True, separator="/")


def _nested(leaves: dict[str, Any]) -> dict:
    tree: dict = {}
    for name, leaf in leaves.items():
        *parents, last = name.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = leaf
    return tree


def _fingerprint(path: Path) -> list[int]:
    content = path.read_bytes()
    return [len(content), zlib.crc32(content)]


def _free(folder: Path, name: str, source: Path | None = None) -> Path:
    """A path in `folder` called `name`, or `name` with a number where that exists; `source` is moved there."""
    path, count = folder / name, 1
    while path.exists():
        path, count = folder / f"{count + 1}-{name}", count + 1
    if source is not None:
        os.rename(source, path)
    return path
