"""Discrete Fréchet distances against the recursion of their definition, and the tool that measures their speed."""

import functools
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from gganjax import platform
from gganjax.errors import InputError
from gganjax.metrics import curves

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import benchmark_metrics  # noqa: E402


def recursive(a, b):
    """Eiter and Mannila's recursion as they state it, points [N, D] and [M, D]."""
    @functools.cache
    def cost(i, j):
        distance = np.linalg.norm(a[i] - b[j])
        before = [cost(*cell) for cell in ((i - 1, j), (i - 1, j - 1), (i, j - 1)) if min(cell) >= 0]
        return max(min(before), distance) if before else distance

    return cost(len(a) - 1, len(b) - 1)


def scores(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("rows, columns, dimensions", [(9, 13, 1), (13, 9, 3), (1, 6, 2), (5, 1, 1), (1, 1, 2)])
def test_curves_equal_the_recursion(rows, columns, dimensions):
    a, b = scores(3, rows, dimensions), scores(3, columns, dimensions, seed=1)
    expected = [recursive(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(curves.frechet_curve(a, b), expected, rtol=1e-6)


def test_frd_equals_the_recursion_exactly():
    """Differences, minima and maxima of float32 numbers leave nothing to round but the differences."""
    fake, real = scores(4, 30), scores(4, 30, seed=1)
    found = curves.frd(fake, real)
    assert found.dtype == np.float32 and found.shape == (4,)
    expected = [recursive(*pair) for pair in zip(fake[..., None], real[..., None], strict=True)]
    np.testing.assert_array_equal(found, expected)


def test_frd_is_a_distance_of_each_pair():
    """0 for equal curves, symmetric, each pair by itself, from the distance of the ends to the largest gap."""
    fake, real = scores(4, 30), scores(4, 30, seed=1)
    found = np.asarray(curves.frd(fake, real))
    np.testing.assert_array_equal(curves.frd(fake, fake), 0)
    np.testing.assert_array_equal(curves.frd(real, fake), found)
    np.testing.assert_array_equal(curves.frd(fake[::-1], real[::-1]), found[::-1])
    np.testing.assert_array_equal(curves.frd(fake[:1], real[:1]), found[:1])
    gaps = np.abs(fake - real)
    assert np.all(found <= gaps.max(1)) and np.all(found >= np.maximum(gaps[:, 0], gaps[:, -1]))
    assert len(set(found.tolist())) == 4


def test_the_order_of_classes_matters_and_pauses_do_not():
    """The same walk with repeated points is the same curve; the same points in another order, 4 apart, are not."""
    walk = np.array([[0.0, 1, 5, 2]], np.float32)
    slow, other = np.repeat(walk, 3, axis=1), np.array([[0.0, 5, 1, 2]], np.float32)
    assert curves.frechet_curve(walk[..., None], slow[..., None]) == 0
    assert curves.frd(walk, other) == 1  # one waits at 0 while the other is at 1, then the other at 1


def test_a_score_that_is_no_number_is_not_hidden():
    fake, real = scores(2, 30), scores(2, 30, seed=1)
    fake[1, 12] = np.nan
    assert np.isnan(curves.frd(fake, real)).tolist() == [False, True]


def test_the_mean_of_the_published_script_counts_two_zeros():
    assert curves.frd_matlab(np.float32([1, 2, 3])) == 6 / 5
    assert curves.frd_matlab(np.ones(9998)) == pytest.approx(1 - 2 / 10_000)


def test_bad_shapes_are_one_sentence():
    a = scores(2, 8)
    for b in (a[:1], a[:, :5], a[0]):
        with pytest.raises(InputError, match=r"two arrays of scores \[B, L\] of equal shape, got \(2, 8\) and"):
            curves.frd(a, b)
    for left, right in ((a, a), (a[..., None], scores(2, 8, 2)), (a[:, :0, None], a[..., None])):
        with pytest.raises(InputError, match=r"takes arrays \[B, N, D\] and \[B, M, D\], got"):
            curves.frechet_curve(left, right)


@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 5), (5, 1), (7, 9)])
def test_the_loop_that_speed_is_measured_against_is_the_recursion(rows, columns):
    p, q = scores(rows), scores(columns, seed=1)
    expected = recursive(p[:, None], q[:, None])
    assert benchmark_metrics.double_loop(p.tolist(), q.tolist()) == pytest.approx(expected, rel=1e-6)


def test_the_benchmark_tells_medians_their_ratio_and_what_it_left_out(tmp_path, capsys, monkeypatch):
    """Three rounds on toy sizes; Python without PyTorch is played by one that is no Python."""
    monkeypatch.setattr(platform, "prepare", lambda **_: None)  # it would change the process of the other tests
    path, cores = tmp_path / "figures.json", os.sched_getaffinity(0)
    options = ["--pairs=2", "--rounds=3", "--points=40", "--only=frd,lpips", "--torch-python=false", f"--json={path}"]
    assert benchmark_metrics.main(["benchmark_metrics.py", *options]) == 0
    assert os.sched_getaffinity(0) == cores
    _, row, sentence, line = capsys.readouterr().out.splitlines()
    figures = json.loads(line)
    assert figures == json.loads(path.read_text())
    assert row.startswith("frd    plain Python ")
    assert sentence == "LPIPS is left out: false has no PyTorch; name another with --torch-python."
    (frd,) = figures.values()
    ours, theirs = np.median(frd["rounds_ms"], axis=0)
    assert (frd["ours_ms"], frd["theirs_ms"], frd["pairs"], frd["ratio"]) == (ours, theirs, 2, theirs / ours)
    assert frd["difference"] < 1e-6  # ours subtracts in float32


@pytest.mark.parametrize("row, module", [("ssim", "skimage"), ("lpips", "torch")])
def test_both_sides_of_the_benchmark_compute_the_same(row, module, capsys, monkeypatch):
    pytest.importorskip(module, reason="an optional extra")
    monkeypatch.setattr(platform, "prepare", lambda **_: None)
    options = ["--pairs=1", "--rounds=1", "--size=32", f"--only={row}"]
    assert benchmark_metrics.main(["benchmark_metrics.py", *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])[row]["difference"] < 2e-6
