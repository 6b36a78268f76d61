"""Real edges: Canny's as EdgeGAN's script makes them, or pictures beside the photos."""

import sys

import numpy as np
import pytest
from make_set import folder_settings, picture, write_picture
from PIL import Image
from scipy import ndimage

from gganjax import data
from gganjax.data import edges
from gganjax.errors import InputError


def photo(seed, height=48, width=64):
    """Smooth noise, uint8 [H, W, 3]."""
    noise = np.random.default_rng(seed).normal(size=(height, width, 3))
    smooth = ndimage.gaussian_filter(noise, (3, 3, 0))
    return np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))


def script(gray):
    """The steps of the specification pixel by pixel in float64, with the border repeated; bool [H, W]."""
    kernel = np.array([[2, 4, 5, 4, 2], [4, 9, 12, 9, 4], [5, 12, 15, 12, 5], [4, 9, 12, 9, 4], [2, 4, 5, 4, 2]])
    assert kernel.sum() == 159
    smooth = ndimage.correlate(gray.astype(np.float64), kernel / 159, mode="nearest")
    x, y = (ndimage.sobel(smooth, axis=axis, mode="nearest") for axis in (1, 0))
    size = np.hypot(x, y)
    angle = (np.rint(np.degrees(np.arctan2(y, x)) / 45).astype(int) * 45) % 180
    steps = {0: (0, 1), 45: (1, 1), 90: (1, 0), 135: (1, -1)}
    left = np.zeros_like(size)
    padded = np.pad(size, 1)
    for i in range(size.shape[0]):
        for j in range(size.shape[1]):
            down, right = steps[angle[i, j]]
            neighbors = padded[1 + i + down, 1 + j + right], padded[1 + i - down, 1 + j - right]
            left[i, j] = size[i, j] if size[i, j] >= max(neighbors) else 0
    weak, strong = (left > share * left.max() for share in (0.075, 0.175))
    return weak & ndimage.binary_dilation(strong, np.ones((3, 3)))


@pytest.mark.parametrize("seed", range(4))
def test_canny_follows_the_steps_of_the_script(seed):
    pytest.importorskip("cv2")
    picture = photo(seed)
    gray = np.rint(picture @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    found, wanted = edges.canny(picture), script(gray)
    assert found.shape == picture.shape and set(np.unique(found)) == {0, 255}
    assert (found == found[..., :1]).all()
    differ = (found[..., 0] > 0) != wanted
    assert wanted.sum() > 400 and differ.sum() <= 2  # gradients are rounded to 1/32


def test_a_weak_line_stays_only_beside_strong_pixels():
    """A step of 100 levels that falls to 40 along its line: beyond one neighbor of the strong part nothing is left."""
    pytest.importorskip("cv2")
    gray = np.zeros((40, 40), np.uint8)
    gray[:20, 20:], gray[20:, 20:] = 200, 25  # 25 of 200 is between the thresholds
    found = edges.canny(np.repeat(gray[..., None], 3, axis=2))[..., 0] > 0
    below = np.flatnonzero(found[:, 18:22].any(1))
    assert found[5:15, 18:22].any(1).all() and below.max() < 26  # the whole line would reach row 39


def test_a_picture_of_one_color_has_no_edges():
    pytest.importorskip("cv2")
    assert not edges.canny(np.full((8, 8, 3), 90, np.uint8)).any()


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set" / "train"
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    for i in range(2):
        Image.fromarray(np.full((24, 24), i, np.uint8)).save(folder / "labels" / f"{i}.png")
        Image.fromarray(photo(i, 24, 24)).save(folder / "images" / f"{i}.png")
    return tmp_path / "set"


def taken(root, **changes):
    """A batch of both training samples in order, with their edges."""
    wanted = folder_settings(root, kind="labels", crop_size=24, test_split="train", **changes)
    with data.test_batches(data.open_source(wanted, "test"), wanted, batch_size=2, fields=("edges",)) as batches:
        return next(batches)["edges"]


def test_edges_are_computed_where_the_set_has_no_pictures_of_them(root):
    pytest.importorskip("cv2")
    assert np.array_equal(taken(root), np.stack([edges.canny(photo(i, 24, 24)) for i in range(2)]))


def test_stored_pictures_of_edges_come_first_and_may_have_another_size(root):
    for i in range(2):
        write_picture(root / "train" / "edges" / f"{i}.png", 10 + i, 12, 12)
    wanted = [np.asarray(Image.fromarray(picture(10 + i, 12, 12)).resize((24, 24), Image.Resampling.BICUBIC)) for i in range(2)]
    assert np.array_equal(taken(root), np.stack(wanted))
    if "cv2" in sys.modules:
        assert np.array_equal(taken(root, edges="canny")[0], edges.canny(photo(0, 24, 24)))


def test_missing_pictures_of_edges_and_a_missing_opencv_are_one_sentence(root, monkeypatch):
    with pytest.raises(InputError) as error:
        taken(root, edges="pictures")
    assert str(error.value) == (
        "The method needs 'edges', which the data lack: The edge pictures of train must be in"
        f" {root}/train/edges, but there is no such folder."
    )
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"^Canny edges need OpenCV \(pip install opencv-python-headless\), or store edge "):
        taken(root)
