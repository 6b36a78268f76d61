"""Whether what the embedded sets draw has the same bits on other processors."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

INSTRUCTIONS = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4 X86_V3 AVX2 FMA3 SVE".split()


def printed(program: str, **environment) -> str:
    """What a program prints in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        cwd=Path(__file__).resolve().parents[1], env=dict(os.environ, **environment))
    return done.stdout.strip()


def printed_without_vector_instructions(program: str) -> str:
    """The same where NumPy may not use the processor's vector instructions; the test is skipped where it has none."""
    off = [name for name in INSTRUCTIONS if name in np._core._multiarray_umath.__cpu_dispatch__]
    if not off:
        pytest.skip("this NumPy has no instruction sets to turn off")
    return printed(program, NPY_DISABLE_CPU_FEATURES=" ".join(off))
