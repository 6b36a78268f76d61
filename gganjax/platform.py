"""What must be set before jax first uses a device: a compiler switch, the memory of the process, compiled programs."""

import ctypes
import importlib.metadata
import importlib.util
import os
import sys
from pathlib import Path

# glibc's mallopt: how much free memory it keeps, pieces taken from outside the heap, heaps for the threads.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def prepare(*, compilation_cache: bool) -> None:
    """Prepares the process; call it first of all.

    jaxlib 0.10.2 sends wide unpadded convolutions on the CPU to a library that runs them five times too slowly.
    The switch against it is unknown to other versions, which an unknown name would kill. What the user has set in
    XLA_FLAGS or JAX_COMPILATION_CACHE_DIR stays.
    """
    switch = "--xla_cpu_experimental_ynn_fusion_type"
    set_by_user = os.environ.get("XLA_FLAGS", "")
    if importlib.metadata.version("jaxlib") == "0.10.2" and _cpu_only() and switch not in set_by_user:
        os.environ["XLA_FLAGS"] = f"{set_by_user} {switch}=-LIBRARY_FUSION_TYPE_INDIVIDUAL_CONVOLUTION".strip()
    if _cpu_only():
        _keep_memory()
    if not compilation_cache or "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    import jax

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gganjax" / "compiled"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _cpu_only() -> bool:
    """Whether jax will find no other device than the CPU, told without starting its backends."""
    if platforms := os.environ.get("JAX_PLATFORMS"):
        return platforms == "cpu"
    plugins = importlib.metadata.entry_points(group="jax_plugins")
    return not plugins and importlib.util.find_spec("libtpu") is None


def _keep_memory() -> None:
    """Lets glibc keep freed memory for the next step.

    A step on the CPU takes and frees up to gigabytes. Given back to the system every time, they cost a sixth of the
    step in page faults. Other C libraries are left as they are.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "gnu_get_libc_version"):
        for option, value in ((_ARENA_MAX, 1), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):  # -1: never trim
            libc.mallopt(option, value)
