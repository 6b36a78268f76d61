"""What several test files use."""

import atexit
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

# Before jax is imported, here and in every process that a test starts. The tests compile far more than they
# compute: most of the compiler's effort is spared, and what one process has compiled serves the others. The second
# switch takes an older generator of code, twice as fast to compile; a version that does not know it would stop there.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0" + (
    " --xla_cpu_use_fusion_emitters=false" if importlib.metadata.version("jaxlib") == "0.10.2" else ""))
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="gganjax-tests-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)

import pytest  # noqa: E402

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared(path: str) -> Path:
    """Returns a file or folder of the recorded material beside the repository; skips the test where it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs ../shared/{path}, which lies beside the repository where it was developed")
    return found
