"""Folders of pictures: what is read, what is left out, and how mistakes are told before training."""

import json
import logging

import numpy as np
import pytest
from make_set import HAND, folder_settings, make_folder, picture, take, write_key_points
from PIL import Image

from gganjax import data
from gganjax.data import verify
from gganjax.errors import InputError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    return make_folder(tmp_path / "set")


def opened(root, split="train", **changes):
    return data.open_source(folder_settings(root, **changes), split)


def message(root, split="train", **changes):
    with pytest.raises(InputError) as error:
        opened(root, split, **changes)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".")
    return text


def test_a_sample_holds_the_pictures_and_key_points_of_its_files(root):
    source = opened(root, load_size=32)
    sample = source[2]
    assert sample["name"] == "p2__p3"
    assert np.array_equal(sample["source"], picture(2)) and np.array_equal(sample["target"], picture(3))
    assert np.array_equal(sample["source_figure"][0], HAND + (2, 0, 0))


def test_what_was_found_is_described(root):
    facts = opened(root).describe()
    assert {key: facts[key] for key in ("kind", "split", "pairs", "pictures", "sizes", "pairs_left_out", "bad_files")} == {
        "kind": "folder", "split": "train", "pairs": 6, "pictures": 6, "sizes": {"32x32": 6}, "pairs_left_out": 0,
        "bad_files": {},
    }  # fmt: skip


def test_pictures_without_key_points_leave_their_pairs_out(root):
    hands = {f"p{i}.png": HAND for i in range(6) if i != 4}  # p4 is not in the file at all
    hands["p1.png"] = None  # no hand found
    hands["p2.png"] = HAND * (1, 1, 0)  # all joints missing
    write_key_points(root, "train", hands, 32)
    source = opened(root)
    assert [source[i]["name"] for i in range(len(source))] == ["p5__p0"]
    facts = source.describe()
    assert facts["without_key_points"] == ["p1.png", "p2.png", "p4.png"] and facts["pairs_left_out"] == 5


def test_two_hands_are_drawn_and_bodies_only_where_asked(root):
    body = np.random.default_rng(0).uniform(2, 29, (18, 3))
    entry = {"hands": [{"points": HAND.tolist()}, {"points": (HAND - (3, 0, 0)).tolist()}], "body18": body.tolist()}
    (root / "train_keypoints.json").write_text(json.dumps({"images": {f"p{i}.png": entry for i in range(6)}}))
    counts = {
        parts: [len(joints) for joints in opened(root, parts=parts)[0]["source_figure"]] for parts in ("auto", "hands", "body")
    }
    assert counts == {"auto": [21, 21], "hands": [21, 21], "body": [18]}


def test_only_takes_the_pairs_of_a_prefix(root):
    assert len(opened(root, only="p3")) == 1
    assert (
        message(root, only="x")
        == f"The list {root / 'train_pairs.csv'} holds no pairs whose source starts with 'x' (config.data.only)."
    )


def test_a_share_of_the_pairs_is_always_the_same_and_keeps_the_order(root):
    write_key_points(root, "train", {f"p{i}.png": HAND for i in range(6)}, 32)
    whole = opened(root)
    names = [whole.names[i] for i in range(6)]
    part = opened(root, share=0.5)
    chosen = [part[i]["name"] for i in range(len(part))]
    assert len(chosen) == part.describe()["pairs"] == 3 and chosen == [name for name in names if name in chosen]
    assert chosen == [opened(root, share=0.5).names[i] for i in range(3)]
    assert np.array_equal(part[0]["source"], whole[names.index(chosen[0])]["source"])


def test_the_test_pictures_may_have_another_name(root):
    for name in ("", "_pairs.csv", "_keypoints.json"):
        (root / f"test{name}").rename(root / f"test_unseen{name}")
    assert message(root, "test") == f"The pictures of the test split must be in {root / 'test'}, but there is no such folder."
    assert opened(root, "test", test_split="test_unseen").describe()["split"] == "test_unseen"
    assert opened(root, "test", test_split="train")[0]["name"] == "p0__p1"


def test_openpose_files_serve_as_key_points(root):
    (root / "train_keypoints.json").unlink()
    (root / "train_keypoints").mkdir()
    for i in range(5):
        person = {"hand_right_keypoints_2d": (HAND + (i, 0, 0)).ravel().tolist()}
        (root / "train_keypoints" / f"p{i}_keypoints.json").write_text(json.dumps({"people": [person]}))
    source = opened(root, load_size=32)
    assert len(source) == 4 and source.describe()["without_key_points"] == ["p5.png"]
    assert np.array_equal(source[3]["source_figure"][0], HAND + (3, 0, 0))


def test_skeleton_pictures_serve_as_guidance(root):
    (root / "train_skeletons").mkdir()
    for i in range(6):
        Image.fromarray(picture(50 + i)[..., 0]).save(root / "train_skeletons" / f"p{i}.png")
    source = opened(root, keypoints="pictures", load_size=32)
    assert np.array_equal(source[1]["target_guidance"], np.stack([picture(52)[..., 0]] * 3, -1))
    batch = take(data.train_batches(source, folder_settings(root), batch_size=2, seed=0), 1)[0]
    assert batch["source_guidance"].shape == (2, 16, 16, 3)


def test_bad_files_stop_the_run_by_name_before_it_starts(root):
    (root / "train" / "p1.png").write_bytes(b"")
    (root / "train" / "p2.png").write_text("no picture")
    whole = (root / "train" / "p3.png").read_bytes()
    (root / "train" / "p3.png").write_bytes(whole[: len(whole) // 2])
    (root / "train" / "p4.png").write_bytes(b"\xff\xd8")
    text = message(root)
    assert text.startswith(
        f"4 of 6 pictures in {root} are bad ({root / 'train' / 'p1.png'} cannot be read as a picture: it is empty"
    )
    assert "p2.png" in text and "p3.png" in text and "; and 1 more" in text and "config.data.bad_files=skip" in text


def test_bad_files_can_be_skipped_and_are_reported(root):
    (root / "train" / "p1.png").write_bytes(b"")
    source = opened(root, bad_files="skip")
    facts = source.describe()
    assert len(source) == 4 and facts["pairs_left_out"] == 2 and list(facts["bad_files"]) == ["train/p1.png"]


def test_a_file_that_turns_bad_later_is_one_sentence_too(root):
    settings = folder_settings(root)
    source = data.open_source(settings, "train")
    for i in range(6):
        (root / "train" / f"p{i}.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"p\d.png cannot be read as a picture: it is empty \(zero bytes\)\.$"):
        take(data.train_batches(source, settings, batch_size=2, seed=0), 1)


def test_pictures_are_decoded_for_checking_once(root, monkeypatch):
    opened(root)
    looked = []
    decode = verify.images.decode
    monkeypatch.setattr(verify.images, "decode", lambda path, **options: looked.append(path.name) or decode(path, **options))
    opened(root)
    assert looked == []
    Image.fromarray(picture(9, 32, 32)).save(root / "train" / "p2.png", compress_level=0)
    opened(root)
    assert looked == ["p2.png"]


def test_a_damaged_or_unwritable_record_only_costs_time(root, tmp_path, monkeypatch, caplog):
    opened(root)
    (record,) = (tmp_path / "cache" / "checked").iterdir()
    record.write_text("{")
    assert len(opened(root)) == 6
    (tmp_path / "file").touch()
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.INFO, "gganjax"):
        assert len(opened(root)) == 6
    assert "could not be kept" in caplog.text


def break_pairs(root, text):
    (root / "train_pairs.csv").write_text(text)


@pytest.mark.parametrize(
    "harm, expected",
    [
        (lambda root: break_pairs(root, "source,target\n"), "The list {0}/train_pairs.csv holds no pairs."),
        (
            lambda root: break_pairs(root, ""),
            "The list of pairs {0}/train_pairs.csv must start with the line source,target or from,to, found 'nothing'.",
        ),
        (
            lambda root: break_pairs(root, "a,b\n"),
            "The list of pairs {0}/train_pairs.csv must start with the line source,target or from,to, found 'a,b'.",
        ),
        (
            lambda root: break_pairs(root, "source,target\np0.png\n"),
            "Row 2 of {0}/train_pairs.csv must be two file names, found 'p0.png'.",
        ),
        (
            lambda root: break_pairs(root, "source,target\np0.png,p9.png\n"),
            "{0}/train_pairs.csv names p9.png, but there is no file {0}/train/p9.png.",
        ),
        (
            lambda root: (root / "train_pairs.csv").unlink(),
            "The list of pairs of the train split is missing: expected {0}/train_pairs.csv or {0}/*-pairs-train.csv.",
        ),
        (
            lambda root: (root / "train_keypoints.json").unlink(),
            "The guidance of the train split is missing: expected "
            + "{0}/train_keypoints.json or {0}/train_landmarks.json or {0}/*-annotation-train.csv or "
            + "{0}/train_keypoints or {0}/train_landmarks or {0}/train_skeletons.",
        ),
        (
            lambda root: write_key_points(root, "train", {"p0.png": None}, 32),
            "No pair of the train split in {0} can be used: 6 of 6 pictures have no key points, 0 cannot be read.",
        ),
        (
            lambda root: write_key_points(root, "train", {f"p{i}.png": HAND for i in range(6)}, 64),
            "The key points of the train split in {0} are for pictures of 64x64, but p0.png is 32x32.",
        ),
        (
            lambda root: (root / "train").rename(root / "old"),
            "The pictures of the train split must be in {0}/train, but there is no such folder.",
        ),
        (lambda root: root.rename(root.with_name("old")), "config.data.folder names {0}, but there is no such folder."),
    ],
)
def test_a_wrong_folder_is_one_sentence(root, harm, expected):
    harm(root)
    assert message(root) == expected.format(root)


def test_an_unknown_split_is_told(root):
    assert message(root, split="val") == "The split must be 'train' or 'test', found 'val'."


@pytest.mark.parametrize(
    "changes, expected",
    [
        (
            dict(kind="folders"),
            "config.data.kind must be one of drawn, strips, folder, tfds, labels, unpaired, domains, attributes, dances,"
            " mdvs, recordings, found 'folders'.",
        ),
        (dict(croop_size=3), "config.data.croop_size is not a setting; did you mean crop_size."),
        (dict(load_size=8), "config.data.load_size must not be smaller than config.data.crop_size (16), found 8."),
        (dict(crop_size="64"), "config.data.crop_size must be of type int, found '64'."),
        (dict(paired=1), "config.data.paired must be of type bool, found 1."),
        (dict(threads=0), "config.data.threads must be at least 1, found 0."),
        (
            dict(folder=""),
            "config.data.folder must name the folder of the data set when config.data.kind is 'folder', found nothing.",
        ),
    ],
)
def test_wrong_settings_are_one_sentence(root, changes, expected):
    with pytest.raises(InputError) as error:
        opened(root, **changes)
    assert str(error.value) == expected


def test_the_defaults_are_valid_settings():
    assert len(data.open_source(data.DEFAULTS, "test")) == 24 * 12 * 11
