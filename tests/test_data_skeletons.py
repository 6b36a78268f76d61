"""Skeletons are drawn where the key points are, and move with the pictures."""

import json

import numpy as np
import pytest
from make_set import HAND

from gganjax import data
from gganjax.data import augment, keypoints, skeletons
from gganjax.errors import InputError


def line(start, end):
    """A hand of which only the bone from wrist to thumb is found."""
    joints = np.zeros((21, 3))
    joints[0], joints[1] = (*start, 1), (*end, 1)
    return joints


def test_a_horizontal_line_covers_its_width_exactly():
    drawn = data.draw_skeleton(line((8, 16), (24, 16)), (32, 32), line_width=4)
    column = drawn[:, 16, 0].tolist()
    # 4 pixels wide around the center of row 16: three whole rows and half of the two beside them.
    assert column[13:20] == [0, 128, 255, 255, 255, 128, 0]
    assert drawn.shape == (32, 32, 3) and drawn.dtype == np.uint8


def test_half_a_pixel_is_kept():
    drawn = data.draw_skeleton(line((8, 15.5), (24, 15.5)), (32, 32), line_width=4)
    assert drawn[12:20, 16, 0].tolist() == [0, 0, 255, 255, 255, 255, 0, 0]


@pytest.mark.parametrize("size, width", [(256, 4.0), (128, 2.0), (96, 1.5), (64, 1.0), (32, 1.0)])
def test_the_line_width_is_the_thesis_width_in_proportion(size, width):
    drawn = data.draw_skeleton(line((0, size / 2), (size, size / 2)), (size, size))
    assert drawn[:, size // 2, 0].astype(float).sum() / 255 == pytest.approx(width, abs=0.01)


def test_a_drawing_agrees_with_distances_to_every_bone():
    drawn = data.draw_skeleton(HAND, (32, 32), line_width=1.5)[..., 0].astype(float)
    y, x = np.mgrid[:32, :32]
    expected = np.zeros((32, 32))
    for finger in range(5):
        for bone in range(4):
            end = 1 + 4 * finger + bone
            start = 0 if bone == 0 else end - 1
            points = np.linspace(HAND[start, :2], HAND[end, :2], 501)
            distance = np.sqrt(((np.stack([x, y], -1)[:, :, None] - points) ** 2).sum(-1)).min(-1)
            expected = 1 - (1 - expected) * (1 - np.clip(0.75 + 0.5 - distance, 0, 1))
    assert np.abs(drawn - 255 * expected).max() <= 1


def test_missing_joints_leave_their_bones_out():
    joints = HAND.copy()
    joints[1:, 2] = 0
    assert not data.draw_skeleton(joints, (32, 32)).any()


def test_points_far_outside_are_harmless():
    assert not data.draw_skeleton(line((1e7, 1e7), (1e7 + 5, 2e7)), (16, 16)).any()
    across = data.draw_skeleton(line((-1e6, 8), (1e6, 8)), (16, 16), line_width=1)
    assert (across[8] == 255).all() and not across[:7].any()


def test_fingers_have_five_colors():
    hand = np.zeros((21, 3))
    hand[:, 2] = 1
    for finger in range(5):
        for bone in range(4):
            hand[1 + 4 * finger + bone] = (10 + 8 * finger, 20 + 10 * bone, 1)
    drawn = data.draw_skeleton(hand, (64, 64), style="fingers", line_width=3)
    assert [tuple(drawn[40, 10 + 8 * finger].tolist()) for finger in range(5)] == list(skeletons.FINGER_COLORS)


@pytest.mark.parametrize("joints", [18, 21, 68])
def test_a_dot_in_every_joint_is_found_again_after_resize_crop_and_flip(joints):
    """Pictures and key points take the same path: each joint is a single bright pixel whose place is looked up afterwards."""
    rng = np.random.default_rng(joints)
    cells = rng.permutation(144)[:joints]
    x, y = 4 + 3 * (cells % 12), 4 + 3 * (cells // 12)
    small = np.stack([x, y, np.ones(joints)], 1).astype(float)
    mirror = skeletons.MIRRORS.get(joints, range(joints))
    for flip in (False, True):
        for index in range(0, joints, 1 + joints // 30):
            panel = np.zeros((44, 44, 3), np.uint8)
            panel[y[index], x[index]] = 255
            panel = panel.repeat(2, 0).repeat(2, 1)  # a joint's pixel becomes four, around its place in the doubled picture
            figure = skeletons.move([small], scale=(2, 2))
            sample = dict(name="a", source=panel, target=panel, source_figure=figure, target_figure=figure)
            top, left = rng.integers(0, 8, 2)
            done = augment.apply(sample, augment.Augmentation(top, left, flip), crop_size=80, style="white", line_width=1)
            moved = skeletons.move(figure, offset=(top, left))
            moved = (skeletons.mirror(moved, 80) if flip else moved)[0]
            found = np.argwhere(done["source"][..., 0] == 255).mean(0)[::-1]
            place = list(mirror).index(index) if flip else index
            assert np.abs(moved[place, :2] - found).max() < 1e-9


def test_mirroring_exchanges_the_sides_of_a_body_and_twice_is_nothing():
    names = "nose neck Rsho Relb Rwri Lsho Lelb Lwri Rhip Rkne Rank Lhip Lkne Lank Reye Leye Rear Lear".split()
    for index, name in enumerate(names):
        other = {"R": "L" + name[1:], "L": "R" + name[1:]}.get(name[0], name)
        assert names[skeletons.BODY_MIRROR[index]] == other
    body = np.random.default_rng(0).uniform(0, 31, (18, 3))
    assert np.allclose(skeletons.mirror(skeletons.mirror([body], 32), 32)[0], body)


def test_mirroring_exchanges_the_sides_of_a_face():
    """iBUG's 68 points by their anatomy: jaw and brows from the person's right to left, eyes from the outer corner
    (right) or the inner one (left) over the upper lid, outer and inner lips around from the right corner."""
    pairs = {i: 16 - i for i in range(17)} | {17 + i: 26 - i for i in range(10)} | {i: i for i in range(27, 31)}
    pairs |= {31 + i: 35 - i for i in range(5)}
    pairs |= {36: 45, 37: 44, 38: 43, 39: 42, 40: 47, 41: 46}
    pairs |= {48: 54, 49: 53, 50: 52, 51: 51, 55: 59, 56: 58, 57: 57, 60: 64, 61: 63, 62: 62, 65: 67, 66: 66}
    pairs |= {other: one for one, other in pairs.items()}
    assert [pairs[i] for i in range(68)] == list(skeletons.FACE_MIRROR)
    face = np.random.default_rng(0).uniform(0, 31, (68, 3))
    assert np.allclose(skeletons.mirror(skeletons.mirror([face], 32), 32)[0], face)


def test_landmarks_are_black_dots_on_white_of_the_published_size():
    face = np.zeros((68, 3))
    face[:2] = (20, 30, 1), (50.5, 40, 1)
    drawn = data.draw_skeleton(face, (256, 256), style="dots")
    assert drawn.shape == (256, 256, 3) and drawn[30, 20].tolist() == [0, 0, 0]
    ink = 1 - drawn[..., 0] / 255.0
    # Two disks of diameter 4, whose edge falls off over one pixel: the integral of such a disk is pi (r^2 + 1/12).
    assert ink.sum() == pytest.approx(2 * np.pi * (2**2 + 1 / 12), rel=0.005)
    y, x = np.mgrid[:256, :256]
    assert (ink[:, :35] * x[:, :35]).sum() / ink[:, :35].sum() == pytest.approx(20)
    assert (ink[:, 35:] * x[:, 35:]).sum() / ink[:, 35:].sum() == pytest.approx(50.5)
    white = data.draw_skeleton(face, (256, 256))
    assert np.abs(white.astype(int) + drawn - 255).max() <= 1  # a face has no bones: the same dots, white on black
    assert not data.draw_skeleton(HAND, (32, 32), style="dots", line_width=3)[..., 0].min()  # hands have dots, too


def test_the_flipped_drawing_is_the_drawing_of_the_flipped_points():
    for joints in (HAND, np.random.default_rng(1).uniform(2, 29, (18, 3))):
        plain = data.draw_skeleton(joints, (32, 32), line_width=2)
        turned = data.draw_skeleton(skeletons.mirror([joints], 32), (32, 32), line_width=2)
        assert np.abs(plain[:, ::-1].astype(int) - turned).max() <= 1


@pytest.mark.parametrize(
    "points, reason",
    [
        (np.zeros((20, 3)), "found an array of shape (20, 3)"),
        (np.zeros((21, 4)), "found an array of shape (21, 4)"),
        (np.full((21, 3), np.nan), "finite numbers"),
        ([[[1, 2], [3]]], "found an array of shape (0,)"),
    ],
)
def test_wrong_points_are_told(points, reason):
    with pytest.raises(InputError, match=reason.replace("(", r"\(").replace(")", r"\)")):
        data.draw_skeleton(points, (16, 16))


def test_an_unknown_style_is_told():
    with pytest.raises(InputError, match="must be 'white', 'fingers' or 'dots', found 'pink'"):
        data.draw_skeleton(HAND, (16, 16), style="pink")


def openpose(**people):
    return json.dumps({"version": 1.1, "people": [people] if people else []})


def test_openpose_hands_body_and_the_surest_person(tmp_path):
    path = tmp_path / "frame_keypoints.json"
    body25 = np.arange(75, dtype=float).reshape(25, 3) + 1
    unsure = {"pose_keypoints_2d": (body25 * (1, 1, 0.001)).ravel().tolist()}
    sure = {
        "pose_keypoints_2d": body25.ravel().tolist(),
        "hand_left_keypoints_2d": HAND.ravel().tolist(),
        "hand_right_keypoints_2d": [0.0] * 63,
    }
    path.write_text(json.dumps({"people": [unsure, sure]}))
    (hand,) = data.read_keypoints(path)
    assert np.array_equal(hand, HAND)
    (body,) = data.read_keypoints(path, parts="body")
    assert np.array_equal(body, body25[[*range(8), *range(9, 15), *range(15, 19)]])


def test_old_openpose_names_and_nobody(tmp_path):
    path = tmp_path / "a_keypoints.json"
    path.write_text(openpose(pose_keypoints=list(range(54))))
    assert data.read_keypoints(path)[0].shape == (18, 3)
    path.write_text(openpose())
    assert data.read_keypoints(path) == []


def test_openpose_files_are_found_with_and_without_a_frame_number(tmp_path):
    for name in ("a_keypoints.json", "b_000000000012_keypoints.json"):
        (tmp_path / name).write_text(openpose(hand_left_keypoints_2d=HAND.ravel().tolist()))
    assert sorted(keypoints.read_openpose_folder(tmp_path, ["a.png", "b.jpg", "c.png"])) == ["a.png", "b.jpg"]


def test_a_file_of_several_pictures_needs_the_name(tmp_path):
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"images": {name: {"hands": [{"points": HAND.tolist()}]} for name in ("a.png", "b.png")}}))
    assert np.array_equal(data.read_keypoints(path, "b.png")[0], HAND)
    with pytest.raises(InputError, match="key points of 2 pictures, but not of 'c.png'; its first is 'a.png'"):
        data.read_keypoints(path, "c.png")


@pytest.mark.parametrize(
    "content, reason",
    [
        ("{", "is not JSON"),
        ("[]", "must hold"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "not x, y, confidence"),
        ('{"people": 3}', "not x, y, confidence"),
        ('{"images": {"a.png": {"hands": [{"points": [[1, 2, 3]]}]}}}', "for a.png in the key-point file"),
        ('{"images": {"a.png": {"hands": [5]}}}', "The entry of a.png"),
        ('{"images": {"a.png": []}}', "The entry of a.png"),
        ('{"image_size": 7, "images": {}}', "image_size in the key-point file"),
    ],
)
def test_a_wrong_file_is_told_by_name(tmp_path, content, reason):
    path = tmp_path / "points.json"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        data.read_keypoints(path)
    assert str(path) in str(error.value) and reason in str(error.value) and "\n" not in str(error.value)
