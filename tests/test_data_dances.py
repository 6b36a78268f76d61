"""The embedded dances: the same bits everywhere, on the beats of their music, and skeletons as drawn in MDVS."""


import bits
import numpy as np
import pytest

from gganjax import beats, data, moving
from gganjax.core import Field
from gganjax.data import dance_skeletons, dancer_pictures, dancers, dances, music
from gganjax.errors import InputError

SETTINGS = dict(kind="dances", load_size=32, crop_size=32, people=4, test_people=2, dances=2, threads=1, prefetch=1)
DIGEST = """
import hashlib
from gganjax.data import dancer_pictures, dances
digest = hashlib.sha256()
for split, dancer, dance, style in (("train", 0, 0, "waltz"), ("test", 3, 1, "popping"), ("test", 1, 0, "rock")):
    joints = dances.joints_of(split, dancer, dance, style)
    digest.update(dances.sound_of(split, dancer, dance, style).tobytes())
    digest.update(joints.tobytes())
    who, wears = dances.body_of(split, dancer), dances.look_of(split, dancer)
    digest.update(dancer_pictures.paint(who, wears, joints[7], (40, 48)).tobytes())
print(digest.hexdigest())
"""
RECORDED = "5a85845244319aeef6ef1a2eb6bf52695e9070146f2f8c18f058d4a49a8bffcc"


def test_music_dances_and_pictures_are_the_recorded_ones():
    assert bits.printed(DIGEST) == RECORDED


def test_a_processor_without_vector_instructions_makes_the_same():
    assert bits.printed_without_vector_instructions(DIGEST) == RECORDED


def test_sine_is_the_sine():
    turns = np.linspace(-3, 3, 4001)
    assert np.abs(music.sine(turns) - np.sin(2 * np.pi * turns)).max() < 1e-7


@pytest.mark.parametrize("style", music.STYLES)
def test_the_beats_of_the_music_are_found_where_they_were_put(style):
    for dancer in range(2):
        kind, played = dances.song_of("test", dancer, 0, style)
        put = np.array(music.beats(kind, **played))
        put = put[(put >= 0.1) & (put < dances.SECONDS - 0.1)]
        found = beats.find(dances.sound_of("test", dancer, 0, style))
        assert all(np.abs(found - beat).min() < 0.06 for beat in put)
        assert all(np.abs(put - beat).min() < 0.06 for beat in found if 0.1 < beat < dances.SECONDS - 0.1)


@pytest.mark.parametrize("style", music.STYLES)
def test_the_dance_is_slowest_on_the_beats_of_its_music_and_not_of_others(style):
    distances, others = [], []
    for dancer in range(3):
        kind, played = dances.song_of("train", dancer, 0, style)
        joints = dances.joints_of("train", dancer, 0, style)
        assert joints.shape == (100, 18, 2) and (joints[..., 1] < 360).all() and (joints[..., 1] > 4).all()
        assert (np.abs(joints[..., 0] - 320) < 180).all()  # inside of the middle square
        speed = np.sqrt((np.diff(joints, axis=0) ** 2).sum(-1)).mean(1)
        slow = np.flatnonzero((speed[1:-1] <= speed[:-2]) & (speed[1:-1] < speed[2:])) + 1
        times = (slow + 0.5) / 10
        for collected, shift in ((distances, 0.0), (others, 30 / played["tempo"])):
            put = np.array(music.beats(kind, **played)) + shift
            put = put[(put > 0.2) & (put < 9.8)]
            collected += [np.abs(times - beat).min() for beat in put]
    assert np.mean(distances) < 0.06 < 0.12 < np.mean(others)


def test_styles_dancers_and_chance_make_other_dances():
    who = dances.body_of("train", 0)
    kind = music.STYLES["disco"]
    course = music.beats(kind, tempo=120.0, first=0.0, seconds=10)
    one, same, other = (dancers.dance(who, "disco", course, number, frames=100) for number in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).mean() > 3
    assert dances.body_of("train", 1) != who != dances.body_of("test", 0)


def test_batches_hold_what_is_asked_for():
    source = data.open_source(SETTINGS | dict(frames=25), "train")
    assert len(source) == 4 * 2 * 4
    with data.train_batches(source, SETTINGS, batch_size=2, seed=0, fields=("audio", "poses", "style")) as batches:
        batch = next(batches)
    shapes = {name: (batch[name].shape, batch[name].dtype) for name in ("audio", "poses", "style")}
    assert shapes == dict(audio=((2, 25, 1600), np.float32), poses=((2, 25, 18, 2), np.float32), style=((2,), np.int32))
    assert set(batch) == {"audio", "poses", "style", "name"}
    for row, name in enumerate(batch["name"]):
        recording, first, last = name.rsplit("__", 1)[0], *map(int, name.rsplit("__", 1)[1].split("_"))
        dancer, dance, style = int(recording[1:4]), int(recording[6]), recording.split("_")[2]
        assert source.describe()["styles"][batch["style"][row]] == style and last - first == 24
        sound = dances.sound_of("train", dancer, dance, style)
        np.testing.assert_array_equal(batch["audio"][row].ravel(), sound[first * 1600 : (last + 1) * 1600])
        joints = dances.joints_of("train", dancer, dance, style)[first : last + 1]
        np.testing.assert_allclose(batch["poses"][row], joints / (320, 180) - 1, atol=1e-6)


def test_pictures_of_a_sample_are_the_persons_first_and_its_frames():
    settings = SETTINGS | dict(frames=3, people=1, dances=1)
    source = data.open_source(settings, "train")
    sample = source[5]
    assert sample["frames"].shape == sample["skeletons"].shape == (3, 32, 32, 3) and sample["frames"].dtype == np.uint8
    assert [source.names[index][-12:] for index in (0, 1, 5)] == ["_00001_00003", "_00003_00005", "_00015_00017"]
    who, wears, joints = (
        dances.body_of("train", 0),
        dances.look_of("train", 0),
        dances.joints_of("train", 0, 0, "waltz"),
    )
    for picture, frame in ((sample["source"], 0), (sample["frames"][1], 16)):
        np.testing.assert_array_equal(picture, dancer_pictures.paint(who, wears, joints[frame], (32, 32)))
    np.testing.assert_array_equal(sample["skeletons"], moving.frames(sample["poses"][None], side=32)[0])
    with data.test_batches(
        data.open_source(settings, "test"), settings, batch_size=5, limit=7, fields=("style",)
    ) as batches:
        assert [batch["valid"].tolist() for batch in batches] == [[True] * 5, [True, True, False, False, False]]


def test_a_skeleton_in_the_frame_is_drawn_by_whole_pixels():
    """One forearm: the discs of elbow and wrist are black, and the ellipse between them lies over both."""
    joints = np.full((18, 2), -100.0)
    joints[3], joints[4] = (200.9, 100.9), (260.2, 100.4)
    picture = dance_skeletons.draw(joints, (360, 640))
    rows, columns = np.mgrid[:360, :640]
    # the disc of the elbow (200, 100) and of the wrist (260, 100), then the ellipse between them
    ellipse = ((columns - 230) / 30) ** 2 + ((rows - 100) / 4) ** 2 <= 1
    discs = ((columns - 200) ** 2 + (rows - 100) ** 2 <= 16) | ((columns - 260) ** 2 + (rows - 100) ** 2 <= 16)
    part = np.s_[90:111, 190:271]
    np.testing.assert_array_equal((picture == dance_skeletons.COLORS[3]).all(-1)[part], ellipse[part])
    np.testing.assert_array_equal((picture == 0).all(-1)[part], (discs & ~ellipse)[part])
    small = dance_skeletons.draw(joints, (90, 160))
    halved = picture.reshape(90, 4, 160, 4, 3).mean((1, 3))
    assert np.abs(small - halved).mean() < 2 and small.min() < 100


def test_what_does_not_fit_is_told_in_a_sentence():
    with pytest.raises(
        InputError, match="names the style 'wals', which the embedded dances have not; did you mean waltz"
    ):
        data.open_source(SETTINGS | dict(domains=("wals",)), "train")
    with pytest.raises(InputError, match=r"No window of 101 frames .* can be used: 8 of 8 recordings are shorter"):
        data.open_source(SETTINGS | dict(frames=101), "train")
    with pytest.raises(InputError, match="config.data.exchange is for sets of two sides"):
        data.open_source(SETTINGS | dict(exchange=True), "train")
    source = data.open_source(SETTINGS, "train")
    with pytest.raises(
        InputError, match="takes 40 frames of 'poses' .config.options.frames., but config.data.frames is 50"
    ):
        data.train_batches(source, SETTINGS, batch_size=2, seed=0, fields={"poses": Field(("B", 40, 18, 2))})
