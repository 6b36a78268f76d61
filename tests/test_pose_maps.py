"""Maps, masks and drawings of poses by their definitions, pixel by pixel, and against scikit-image's rasterization."""

import math

import numpy as np
import pytest

from gganjax.data import pose_maps, skeletons
from gganjax.errors import InputError

SIZE = (24, 20)
PIXELS = [(y, x) for y in range(SIZE[0]) for x in range(SIZE[1])]


def pose(**joints):
    """A pose in which only the named joints are found: pose(j3=(y, x))."""
    points = np.full((18, 2), -1)
    for name, place in joints.items():
        points[int(name[1:])] = place
    return points


def random_poses(count, size=SIZE, seed=0):
    random = np.random.default_rng(seed)
    poses = random.integers(0, size, (count, 18, 2))
    poses[random.random((count, 18)) < 0.3] = -1
    return poses


def where(condition):
    """The picture of a condition on the pixels."""
    return np.array([condition(y, x) for y, x in PIXELS]).reshape(SIZE)


def closed(mask):
    """5 x 5 closing, a loop over pixels: of each square only what lies in the picture counts."""
    for reduce in (np.max, np.min):
        mask = where(lambda y, x, mask=mask: reduce(mask[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]))
    return mask


def test_maps_of_joints():
    points = pose(j0=(3, 4), j7=(0, 19))
    maps = {"gaussian": pose_maps.gaussian_maps(points, SIZE), "disk": pose_maps.disk_maps(points, SIZE),
            "delta": pose_maps.delta_maps(points, SIZE)}
    for joint, (y0, x0) in ((0, (3, 4)), (7, (0, 19))):
        expected = where(lambda y, x, y0=y0, x0=x0: math.exp(-((y - y0) ** 2 + (x - x0) ** 2) / 72))
        np.testing.assert_allclose(maps["gaussian"][..., joint], expected, rtol=1e-6)
        np.testing.assert_array_equal(maps["disk"][..., joint], where(lambda y, x, y0=y0, x0=x0: math.hypot(y - y0, x - x0) <= 4))
        np.testing.assert_array_equal(maps["delta"][..., joint], where(lambda y, x, y0=y0, x0=x0: (y, x) == (y0, x0)))
    for values in maps.values():
        assert values.shape == (*SIZE, 18)
        assert not values[..., [1, 2, 3, 4, 5, 6, *range(8, 18)]].any()
    assert maps["disk"][..., 0].sum() == 48  # of 49 pixels one lies above the first row


def test_reading_back_returns_the_joints():
    poses = random_poses(5)
    for maps in (pose_maps.gaussian_maps(poses, SIZE), pose_maps.delta_maps(poses, SIZE)):
        np.testing.assert_array_equal(pose_maps.read_back(maps), poses)
    one = np.zeros((3, 4, 18))
    one[..., 0] = 0.1  # not above the threshold
    one[..., 1] = 0.2  # everywhere: the first pixel
    one[2, [1, 3], 2] = 0.3
    np.testing.assert_array_equal(pose_maps.read_back(one)[:4], [(-1, -1), (0, 0), (2, 1), (-1, -1)])


def test_pg2_mask_is_disks_along_limbs():
    points = pose(j2=(4, 3), j3=(17, 9), j10=(22, 18))  # one limb, and a joint with none
    length = math.hypot(13, 6)
    count = int(length / 4)
    assert count == 3
    centers = [(4, 3), (17, 9), *((int(4 + 13 * i / count), int(3 + 6 * i / count)) for i in (1, 2))]
    disks = where(lambda y, x: any(math.hypot(y - cy, x - cx) <= 4 for cy, cx in centers))
    np.testing.assert_array_equal(pose_maps.pose_mask_pg2(points, SIZE), closed(disks))
    assert not pose_maps.pose_mask_pg2(pose(j10=(5, 5)), SIZE).any()


def test_pg2_mask_of_a_limb_that_leaves_the_picture():
    """Its joints may lie outside, near or far, in all directions."""
    for end in ((-9, 4), (31, 4), (10, -3), (10, 40), (-2, 21), (26, 22)):
        points = pose(j2=(10, 9), j3=end)
        count = max(int(math.hypot(end[0] - 10, end[1] - 9) / 4), 1)
        centers = [(int(10 + (end[0] - 10) * i / count), int(9 + (end[1] - 9) * i / count)) for i in range(count + 1)]
        disks = where(lambda y, x, centers=centers: any(math.hypot(y - cy, x - cx) <= 4 for cy, cx in centers))
        np.testing.assert_array_equal(pose_maps.pose_mask_pg2(points, SIZE), closed(disks))


def test_evaluation_mask_is_rectangles_and_disks():
    points = pose(j2=(4, 6), j3=(18, 6), j10=(20, 16))
    rectangle = lambda y, x: 4 <= y <= 18 and 2 <= x <= 10
    shapes = where(lambda y, x: rectangle(y, x) or any(math.hypot(y - cy, x - cx) < 4 for cy, cx in ((4, 6), (18, 6), (20, 16))))
    np.testing.assert_array_equal(pose_maps.evaluation_mask(points, SIZE), closed(shapes))
    together = pose(j2=(9, 9), j3=(9, 9))  # a limb of no length is its disk
    disk = where(lambda y, x: math.hypot(y - 9, x - 9) < 4)
    np.testing.assert_array_equal(pose_maps.evaluation_mask(together, SIZE), closed(disk))
    assert not pose_maps.evaluation_mask(pose(), SIZE).any()


def test_masks_near_the_border_reach_it():
    """Erosion must not nibble where the picture ends."""
    for mask in (pose_maps.pose_mask_pg2, pose_maps.evaluation_mask):
        assert mask(pose(j2=(0, 0), j3=(23, 0)), SIZE)[:, 0].all()


@pytest.mark.parametrize("points", random_poses(20, seed=1))
def test_scikit_image_agrees(points):
    """On the polygons and lines of random limbs."""
    draw = pytest.importorskip("skimage.draw")
    found = points[:, 0] >= 0
    mask, picture, drawn = np.zeros(SIZE, bool), np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, bool)
    for start, end in (points[list(limb)].astype(float) for limb in pose_maps.MASK_LIMBS if found[list(limb)].all()):
        if (start != end).any():
            aside = np.array([start[1] - end[1], end[0] - start[0]]) * 4 / np.linalg.norm(end - start)
            corners = np.array([start + aside, start - aside, end - aside, end + aside])
            mask[draw.polygon(*corners.T, shape=SIZE)] = True
    for start, end in (points[list(limb)] for limb in skeletons.BODY_BONES if found[list(limb)].all()):
        rows, columns, share = draw.line_aa(*start, *end)
        picture[rows, columns] = (share * 255)[:, None]
        drawn[rows, columns] = True
    for joint in np.flatnonzero(found):
        mask[draw.disk(points[joint], 4, shape=SIZE)] = True
        disk = draw.disk(points[joint], 2, shape=SIZE)
        picture[disk] = pose_maps.JOINT_COLORS[joint]
        drawn[disk] = True
    np.testing.assert_array_equal(pose_maps.evaluation_mask(points, SIZE), closed(mask))
    ours, where_ours = pose_maps.draw_pose(points, SIZE)
    assert np.abs(ours.astype(int) - picture).max() <= 1  # rounding before the fraction is cut off
    np.testing.assert_array_equal(where_ours, drawn)


def test_the_two_polygon_rules_differ_on_edges_alone():
    straight = pose(j2=(4, 10), j3=(18, 10))
    inclusive, older = (pose_maps.evaluation_mask(straight, SIZE, edges=edges) for edges in (True, False))
    assert not (older > inclusive).any()
    difference = np.argwhere(inclusive != older)
    assert len(difference)
    assert set(difference[:, 1]) <= {6, 14}


def test_colors_go_round_the_circle():
    expected = [(255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0)]
    np.testing.assert_array_equal(pose_maps.JOINT_COLORS[:7], expected)
    np.testing.assert_array_equal(pose_maps.JOINT_COLORS[-1], (255, 0, 85))


def test_from_figure():
    joints = np.zeros((18, 3))
    joints[3] = (7.4, 2.6, 0.8)
    joints[4] = (5.0, 6.0, 0.0)  # not found
    np.testing.assert_array_equal(pose_maps.from_figure(joints), pose(j3=(3, 7)))


def test_batches_and_bad_shapes():
    poses = random_poses(3)
    for maps in (pose_maps.gaussian_maps, pose_maps.disk_maps, pose_maps.delta_maps):
        np.testing.assert_array_equal(maps(poses, SIZE), np.stack([maps(points, SIZE) for points in poses]))
        with pytest.raises(InputError, match=r"must be \[..., joints, 2\] \(y, x\), found an array of shape \(18, 3\)"):
            maps(np.zeros((18, 3)), SIZE)
    for function in (pose_maps.evaluation_mask, pose_maps.pose_mask_pg2, pose_maps.draw_pose):
        with pytest.raises(InputError, match=r"A pose must be 18 joints \(y, x\), found an array of shape \(17, 2\)"):
            function(poses[0, 1:], SIZE)
    with pytest.raises(InputError, match=r"18 joints of x, y, confidence, found an array of shape \(18, 2\)"):
        pose_maps.from_figure(poses[0])
