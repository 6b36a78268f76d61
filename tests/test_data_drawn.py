"""The embedded set: the same bits everywhere, exact key points, other people in the test split."""

import math

import bits
import numpy as np
from make_set import take

from gganjax import data
from gganjax.data import drawn, hands, painting

SETTINGS = dict(kind="drawn", load_size=72, crop_size=64, people=20, test_people=5, poses=6, threads=1, prefetch=1)
DIGEST = """
import hashlib
from gganjax.data import drawn
digest = hashlib.sha256()
for person, pose in ((0, 0), (3, 7), (11, 2)):
    for part in drawn.picture("train", person, pose, 72)[:2]:
        digest.update(part.tobytes())
print(digest.hexdigest())
"""
RECORDED = "9b75715277e98c7f543b1bd4fc39d0ef7db381d9059d4a86a10743dc4924c24a"


def test_pictures_and_key_points_are_the_recorded_ones():
    assert bits.printed(DIGEST) == RECORDED


def test_a_processor_without_vector_instructions_draws_the_same():
    assert bits.printed_without_vector_instructions(DIGEST) == RECORDED


def test_every_key_point_lies_inside_the_picture_and_on_the_hand():
    for person in range(12):
        for pose in range(4):
            who = hands.person(1, person)
            hand = hands.pose(who, drawn.gesture("train", person, pose), hands.Dice(1, person, 1 + pose))
            picture, body, _ = painting.paint(who, hand, 96)
            _, points, _ = drawn.picture("train", person, pose, 96)
            assert np.array_equal(picture, drawn.picture("train", person, pose, 96)[0])
            assert (points[:, :2] > 0.07 * 96).all() and (points[:, :2] < 0.93 * 96).all()
            x, y = np.rint(points[:, :2]).astype(int).T
            assert (body[y, x] > 0.99).all()


def test_the_color_under_the_key_points_is_skin():
    """Against the person's skin in hue alone: shading changes the brightness, never the order of red, green and blue."""
    for person in range(12):
        skin = np.array(hands.person(1, person).skin)
        picture, points, _ = drawn.picture("train", person, 1, 128)
        x, y = np.rint(points[:, :2]).astype(int).T
        joints = [i for i in range(21) if i % 4 or i == 0]  # a tip may be under a painted nail
        color = picture[y, x][joints].astype(float)
        share = color / color.sum(1, keepdims=True)
        assert np.abs(share - skin / skin.sum()).max() < 0.09


def test_a_larger_picture_shows_the_same_scene():
    small, small_points, _ = drawn.picture("train", 4, 2, 64)
    large, large_points, _ = drawn.picture("train", 4, 2, 128)
    halved = large.reshape(64, 2, 64, 2, 3).astype(float).mean((1, 3))
    assert np.abs(halved - small).mean() < 3
    assert np.allclose((large_points[:, :2] + 0.5) / 2, small_points[:, :2] + 0.5)


def test_parts_are_where_something_is_seen_and_a_straight_finger_is_its_own_part():
    fingers = ("thumb", "index", "middle", "ring", "little")
    for person in range(6):
        who = hands.person(1, person)
        hand = hands.pose(who, "five", hands.Dice(1, person, 1))
        _, body, parts = painting.paint(who, hand, 96)
        assert (body[parts == 0] < 1).all() and (body[parts > 1] > 0).all() and parts.max() < len(painting.PARTS)
        assert (parts == 1).any() <= (who.sleeve < 9)
        for finger, name in enumerate(fingers):
            x, y, _ = (int(96 * (one + other) / 2) if axis < 2 else 0 for axis, (one, other) in enumerate(
                zip(hand.joints[4 * finger + 3], hand.joints[4 * finger + 4], strict=True)))
            assert painting.PARTS[parts[y, x]] == name


def test_outlines_lie_between_parts():
    parts = np.random.default_rng(0).integers(0, 3, (7, 5))
    wanted = [[[255 * any(parts[i, j] != parts[k, m] for k, m in ((i + 1, j), (i, j + 1)) if k < 7 and m < 5)] * 3
               for j in range(5)] for i in range(7)]
    np.testing.assert_array_equal(drawn.outlines(parts), wanted)


def test_methods_of_label_maps_get_the_parts_and_outlines_of_the_target():
    asked = dict(SETTINGS, flip="off")
    source, fields = data.open_source(asked, "train"), ("labels", "edges", "target_classes")
    batch = take(data.train_batches(source, asked, batch_size=4, seed=0, fields=fields), 1)[0]
    np.testing.assert_array_equal(batch["labels"], batch["target_classes"])
    assert batch["labels"].dtype == np.int32 and (batch["labels"] > 0).any((1, 2)).all()
    wanted = np.stack([drawn.outlines(labels) for labels in batch["labels"]])
    np.testing.assert_array_equal(batch["edges"][:, :-1, :-1], wanted[:, :-1, :-1])  # the crop cut off what lies behind it


def test_the_splits_share_nobody_and_people_differ():
    everybody = [hands.person(split, number) for split in (1, 2) for number in range(200)]
    assert len(set(everybody)) == 400


def test_a_pair_shows_one_person_in_one_place_and_two_gestures():
    source = data.open_source(SETTINGS, "train")
    assert len(source) == 20 * 6 * 5
    seen = set()
    for index in range(len(source)):
        (person, *one), (same_person, *other) = (side.split("_", 2) for side in source.names[index].split("__"))
        assert person == same_person and one != other and one[1] != other[1]
        seen.add(source.names[index])
    assert len(seen) == len(source)
    corner = source[0]["source"][:4, :4].astype(int) - source[0]["target"][:4, :4]
    assert np.abs(corner).max() <= 1  # no hand reaches the corner


def test_gestures_repeat_only_after_all_were_shown():
    count = len(hands.GESTURES)
    shown = [drawn.gesture("test", 3, pose) for pose in range(count + 2)]
    assert len(set(shown[:count])) == count and shown[count:] == shown[:2]


def test_translating_is_more_than_copying():
    """Copying the source leaves an error like that of the photo sets (15.7 to 20.4 dB)."""
    source = data.open_source(SETTINGS, "test")
    errors = []
    for index in range(0, len(source), 5):
        sample = source[index]
        errors.append(((sample["source"].astype(float) - sample["target"]) ** 2).mean())
    floor = 10 * np.log10(255**2 / np.mean(errors))
    assert 14 < floor < 21


def test_the_guidance_lies_on_the_hand_of_its_own_picture():
    source = data.open_source(SETTINGS, "train")
    batch = take(data.train_batches(source, SETTINGS, batch_size=16, seed=0), 1)[0]
    assert batch["source"].shape == batch["target_guidance"].shape == (16, 64, 64, 3)

    def distance(picture, guidance):
        """How much the colors under the skeleton vary, against the whole picture."""
        under = picture[guidance[..., 0] > 200].astype(float)
        return under.std(0).mean() / picture.reshape(-1, 3).astype(float).std(0).mean()

    own = np.mean([distance(batch["target"][i], batch["target_guidance"][i]) for i in range(16)])
    crossed = np.mean([distance(batch["source"][i], batch["target_guidance"][i]) for i in range(16)])
    assert own < 0.8 * crossed


def test_sine_and_cosine_are_right():
    for degrees in range(-270, 271, 7):
        sine, cosine = hands.turn(degrees)
        assert math.isclose(sine, math.sin(math.radians(degrees)), abs_tol=1e-12)
        assert math.isclose(cosine, math.cos(math.radians(degrees)), abs_tol=1e-12)


def test_dice_are_even_and_do_not_depend_on_numpy_generators():
    dice = hands.Dice(1, 2)
    expected = np.random.PCG64(np.random.SeedSequence((1, 2))).random_raw(3)
    assert [dice.between(0, 1) for _ in range(3)] == [(int(raw) >> 11) / 2**53 for raw in expected]
    counts = np.bincount([hands.Dice(9, n).below(4) for n in range(2000)], minlength=4)
    assert np.abs(counts - 500).max() < 100
    assert sorted(hands.Dice(5).order(9)) == list(range(9))
