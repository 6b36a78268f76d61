"""Folders of dances and MDVS files: rates, layouts, gaps, and what is wrong with them."""

import json
import logging

import make_dances as make
import numpy as np
import pytest
import soundfile
from conftest import shared

from gganjax import data
from gganjax.data import audio, dance_skeletons, dances, joints, music
from gganjax.errors import InputError


def opened(folder, **settings):
    usual = dict(kind="recordings", folder=str(folder), frames=10, crop_size=36, load_size=36)
    return data.open_source(usual | settings, "train")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize(
    "rate,size", [(10.0, (360, 640)), (25.0, (720, 1280)), (29.97, (360, 640)), (60.0, (1080, 1920))]
)
def test_any_rate_and_size_become_ten_frames_a_second_of_one_frame(tmp_path, rate, size):
    make.recording(tmp_path / "train", "a", seconds=3, rate=rate, size=size)
    source = opened(tmp_path)
    assert len(source) == 3
    sample = source[1]
    wanted = make.joints(30)[10:20]  # at ten frames a second
    np.testing.assert_allclose(dance_skeletons.to_frame(sample["poses"]), wanted, atol=1e-3)
    stored = soundfile.read(tmp_path / "train/a.wav", dtype="int16")[0]
    np.testing.assert_array_equal(sample["audio"].ravel(), stored[16_000:32_000])
    assert sample["name"] == "a__00010_00019"


def test_upright_videos_lie_in_the_middle_of_the_frame(tmp_path):
    """A frame of 180 x 360 fills the middle 180 columns of 640: nothing is squeezed."""
    found = dance_skeletons.into_frame(np.array([[0.0, 0.0], [180.0, 360.0]]), (360, 180))
    np.testing.assert_allclose(found, [[230, 0], [410, 360]])
    picture = np.zeros((36, 18, 3), np.uint8)
    picture[:, 9:] = 200
    shown = dance_skeletons.show(picture, (36, 36))
    assert (shown[:, :17] == 0).all() and (shown[:, 19:] == 200).all()
    wide = np.tile(np.arange(64, dtype=np.uint8)[None, :, None], (36, 1, 3))
    np.testing.assert_array_equal(dance_skeletons.show(wide, (36, 36))[0, :, 0], np.arange(14, 50))


def test_videos_and_folders_of_frames_give_their_pictures_at_the_time(tmp_path):
    place = tmp_path / "train/disco"
    make.video(place / "v.mp4", seconds=3, rate=25)
    make.recording(place, "v", seconds=3, rate=25, size=(36, 64))
    make.pictures(place / "f", 75)
    make.recording(place, "f", seconds=3, rate=25, size=(36, 64))
    make.recording(tmp_path / "train/waltz", "w", seconds=3, rate=10)
    source = opened(tmp_path, only="disco")
    facts = source.describe()
    assert facts["styles"] == ["disco"] and facts["recordings"] == 2
    for name, level in (("disco_v", lambda n: 4 * n), ("disco_f", lambda n: 2 * int(2.5 * n + 0.5))):
        index = [source.names[i] for i in range(len(source))].index(f"{name}__00010_00019")
        sample = source[index]
        found = sample["frames"].astype(float).mean((1, 2, 3))
        assert np.abs(found - [level(n) for n in range(10, 20)]).max() < 3, name
        assert sample["source"].mean() < 3 and sample["source"].shape == (36, 36, 3)
    whole = opened(tmp_path)
    assert whole.describe()["styles"] == ["disco", "waltz"]
    with pytest.raises(
        InputError, match="The method needs 'frames', which the data lack: waltz_w has neither a video nor"
    ):
        data.train_batches(
            whole, dict(kind="recordings", folder=str(tmp_path)), batch_size=1, seed=0, fields=("frames",)
        )


def test_gaps_are_filled_between_neighbors_and_windows_without_them_left_out(tmp_path, caplog):
    points = np.concatenate([make.joints(30), np.ones((30, 18, 1))], axis=2)
    points[12:15, 4, 2] = 0  # the wrist is lost for a while, and an ear from frame 25 on
    points[12:15, 4, :2] = 0
    points[25:, 16] = 0
    make.recording(tmp_path / "train", "a", points=points)
    with caplog.at_level(logging.WARNING, "gganjax"):
        source = opened(tmp_path)
    assert [source.names[i] for i in range(len(source))] == ["a__00000_00009", "a__00010_00019"]
    assert "1 windows of a are left out (frames 20 to 29 first): joints are missing there" in caplog.text
    np.testing.assert_allclose(dance_skeletons.to_frame(source[1]["poses"]), make.joints(30)[10:20], atol=1e-3)


def test_openpose_files_and_json_are_read_as_well(tmp_path):
    place = tmp_path / "train"
    make.recording(place, "a", rate=10)
    (place / "a.npz").unlink()
    (place / "a_keypoints").mkdir()
    body = np.concatenate([make.joints(30), np.full((30, 18, 1), 0.9)], axis=2)
    body25 = np.zeros((30, 25, 3))
    body25[:, [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]] = body
    for frame in range(30):
        people = [dict(pose_keypoints_2d=(share * body25[frame]).ravel().tolist()) for share in (0.1, 1.0)]
        (place / f"a_keypoints/a_{frame:012d}_keypoints.json").write_text(json.dumps(dict(version=1.3, people=people)))
    with pytest.raises(
        InputError, match="frame rate of a is not known, expected 1 to 1000 frames a second: fps in a_keypoints"
    ):
        opened(tmp_path)
    # the points are taken as of 1920 x 1080 where nothing says their size: a third of the frame
    found = opened(tmp_path, frame_rate=10.0)[0]["poses"]
    np.testing.assert_allclose(dance_skeletons.to_frame(found), make.joints(30)[:10] / 3, atol=1e-3)
    for path in (place / "a_keypoints").iterdir():
        path.unlink()
    (place / "a_keypoints").rmdir()
    pictures = {f"frame_{frame}.png": dict(body18=body[frame].tolist()) for frame in range(30)}
    (place / "a.json").write_text(json.dumps(dict(image_size=[640, 360], images=pictures)))
    found = opened(tmp_path, frame_rate=10.0)[1]["poses"]  # frame 10 follows frame 9
    np.testing.assert_allclose(dance_skeletons.to_frame(found), make.joints(30)[10:20], atol=1e-3)
    content = dict(keypoints=body.tolist(), fps=10, image_size=[640, 360], style="rock")
    (place / "a.json").write_text(json.dumps(content))
    source = opened(tmp_path)
    assert source.describe()["styles"] == ["rock"]
    np.testing.assert_allclose(dance_skeletons.to_frame(source[0]["poses"]), make.joints(30)[:10], atol=1e-3)


def test_coco_joints_and_a_track_at_the_beats_of_real_dances():
    folder = shared("data/dance_keypoints")
    source = opened(folder, frames=50)
    assert source.describe()["styles"] == ["house", "krump", "middle_hip_hop"] and source.describe()["recordings"] == 6
    sample = source[0]
    assert sample["name"].startswith("gHO_sFM_cAll_d19_mHO0_ch01__00000") and sample["style"] == 0
    with np.load(folder / "train/gHO_sFM_cAll_d19_mHO0_ch01.npz") as stored:
        points, tempo = stored["keypoints"], float(stored["bpm"])
    found = dance_skeletons.to_frame(sample["poses"]) * 3  # pixels of 1920 x 1080
    np.testing.assert_allclose(found[7, 0], points[21, 0], atol=1e-2)  # the nose after 0.7 s
    np.testing.assert_allclose(found[7, 1], points[21, 5:7].mean(0), atol=1e-2)  # the neck between the shoulders
    sound = sample["audio"].ravel()
    np.testing.assert_array_equal(sound, music.track(tempo, 17.4)[: len(sound)])
    loud = np.array([np.abs(sound[int(k * 60 / tempo * 16_000) :][:320]).max() for k in range(9)])
    between = np.array([np.abs(sound[int((k + 0.75) * 60 / tempo * 16_000) :][:320]).max() for k in range(8)])
    assert loud.min() > 3 * between.max()


@pytest.mark.parametrize("case,sentence", [
    ("points", "No dance of {place} can be used: the 1 dances in it have no key points (a first)"),
    ("joints", "are of 21 joints, expected 18 (OpenPose's COCO order), 17 (COCO) or 25"),
    ("rate", "a.npz lasts 12.0 s (30 frames, 2.5 a second), but its sound lasts 3.0 s: is the frame rate right"),
    ("video", "lasts 3.0 s (30 frames, 10 a second), but the video of a lasts 6.0 s"),
    ("silent", "a.wav is silent"),
    ("short", "a.wav lasts 0 s"),
    ("sound", "a has no sound, expected"),
    ("ragged", "are ragged, expected the same joints in every frame"),
    ("broken", "a.npz cannot be read: "),
    ("size", "a.npz is for a video of 640x360, but that of a is 64x36"),
])  # fmt: skip
def test_what_is_wrong_with_a_recording_is_told_in_a_sentence(tmp_path, case, sentence):
    place = tmp_path / "train"
    make.recording(place, "a", points=np.ones((30, 21, 2)) if case == "joints" else None)
    if case == "points":
        (place / "a.npz").unlink()
    elif case == "rate":
        np.savez(place / "a.npz", keypoints=make.joints(30), fps=2.5)
    elif case in ("video", "size"):
        make.video(place / "a.mp4", seconds=6 if case == "video" else 3, rate=10)
        if case == "video":
            np.savez(place / "a.npz", keypoints=make.joints(30), fps=10)
    elif case in ("silent", "short"):
        soundfile.write(place / "a.wav", np.zeros(48_000 if case == "silent" else 0), 16_000)
    elif case == "broken":
        (place / "a.npz").write_bytes((place / "a.npz").read_bytes()[:200])
    elif case == "sound":
        (place / "a.wav").unlink()
    elif case == "ragged":
        (place / "a.npz").unlink()
        (place / "a.json").write_text(json.dumps(dict(keypoints=[[[1, 2]] * 18, [[1, 2]] * 17], fps=10)))
    with pytest.raises(InputError) as caught:
        opened(tmp_path)
    assert sentence.format(place=place) in str(caught.value) and "\n" not in str(caught.value)
    if case != "points":
        make.recording(place, "b")
        source = opened(tmp_path, bad_files="skip")
        assert len(source) == 3 and list(source.describe()["bad_files"]) == ["a"]


def test_mdvs_files_are_read_clip_by_clip(tmp_path):
    make.mdvs(tmp_path / "disco.json", 11, ragged=True)
    make.mdvs(tmp_path / "waltz.json", 2)
    settings = dict(kind="mdvs", folder=str(tmp_path), frames=50)
    train, test = (data.open_source(settings, split) for split in ("train", "test"))
    # the first video's only clip is ragged; of the 10 others the last one (10 %) is the test split, of 2 as well
    assert len(train) == 2 * (9 + 1) and len(test) == 2 * (1 + 1)
    assert train.describe()["styles"] == ["disco", "waltz"] and train.describe()["ragged_clips_left_out"] == 1
    names = {test.names[i] for i in range(len(test))}
    assert "disco_010_000__00050_00099" in names and "waltz_001_000__00000_00049" in names
    index = [train.names[i] for i in range(len(train))].index("disco_001_000__00050_00099")
    sample = train[index]
    np.testing.assert_allclose(sample["poses"], make.joints(100)[50:] / (320, 180) - 1, atol=1e-6)
    np.testing.assert_array_equal(sample["audio"].ravel(), dances.sound_of("train", 0, 0, "disco")[80_000:])
    (tmp_path / "waltz.json").write_text(json.dumps(json.dumps({"000": [1, 2]})))
    with pytest.raises(InputError, match="waltz.json must hold {VIDEO: {SECOND: "):
        data.open_source(settings, "train")


def test_resampling_keeps_straight_lines_and_gaps():
    line = np.arange(31)[:, None, None] * np.ones((1, 18, 2))
    np.testing.assert_allclose(joints.resample(line, 30, 10)[:, 0, 0], np.arange(0, 31, 3))
    np.testing.assert_allclose(joints.resample(line, 4, 10)[:, 0, 0], np.arange(76) * 0.4)
    holed = line.copy()
    holed[4] = np.nan
    kept = joints.resample(holed, 30, 10)
    assert np.isfinite(kept).all() and len(kept) == 11
    assert audio.FRAME_RATE == 10
