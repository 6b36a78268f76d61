"""Pictures without counterparts: which ones come, in which orders, with which labels."""

import random

import numpy as np
import pytest
from make_set import folder_settings, make_attributes, make_domains, picture, same, take, write_picture

from gganjax import data
from gganjax.data import attributes
from gganjax.errors import InputError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    return make_domains(tmp_path / "set")


def asked(root, **changes):
    return folder_settings(root, **dict(dict(kind="domains", load_size=32, crop_size=32, flip="off"), **changes))


def opened(root, split="train", **changes):
    return data.open_source(asked(root, **changes), split)


def batches(root, count, *, batch_size=4, seed=5, start=0, process=(0, 1), **changes):
    settings = asked(root, **changes)
    source = data.open_source(settings, "train")
    taken = data.train_batches(source, settings, batch_size=batch_size, seed=seed, start=start, process_index=process[0],
                               process_count=process[1])
    return take(taken, count)


def names_of(taken):
    return [name.split("+") for batch in taken for name in batch["name"]]


def test_domains_are_the_folders_sorted_or_as_named(root):
    facts = opened(root).describe()
    assert (facts["domains"], facts["pictures_of"], facts["pairs"]) == (["a", "b", "c"], dict(a=4, b=3, c=5), 12)
    assert facts["paired"] is False
    named = opened(root, domains=["c", "a"]).describe()
    assert (named["domains"], named["pairs"]) == (["c", "a"], 9)


def test_a_batch_holds_pictures_with_the_labels_of_their_folders(root):
    """Domain c was written first, so that picture i of c is `picture(i)`."""
    first = {"c": 0, "a": 100, "b": 200}
    for batch in batches(root, 3):
        for row, name in enumerate(batch["name"]):
            for side, one in zip(("source", "target"), name.split("+"), strict=True):
                folder, number = one.split("_")
                assert np.array_equal(batch[side][row], picture(first[folder] + int(number)))
                label = batch[f"{side}_domain"][row]
                assert label.dtype == np.float32 and label.tolist() == [float(folder == each) for each in "abc"]


@pytest.mark.parametrize("kind, counts", [("domains", (12, 12)), ("unpaired", (4, 5))])
def test_each_side_goes_through_all_its_pictures_in_an_order_of_its_own(root, kind, counts):
    changes = dict(kind=kind, domains=("a", "c") if kind == "unpaired" else ())
    pairs = names_of(batches(root, 60, batch_size=2, **changes))
    for side, count in enumerate(counts):
        seen = [pair[side] for pair in pairs]
        for epoch in range(120 // count):
            assert len(set(seen[epoch * count : (epoch + 1) * count])) == count
    assert len({tuple(pair) for pair in pairs}) > 2 * max(counts)  # no fixed couples
    if kind == "unpaired":
        assert {(one[0], other[0]) for one, other in pairs} == {("a", "c")}


@pytest.mark.parametrize("kind", ["domains", "unpaired"])
def test_a_start_anywhere_threads_and_processes_change_nothing(root, kind):
    changes = dict(kind=kind, load_size=36, flip="on", domains=("a", "b") if kind == "unpaired" else ())
    whole = batches(root, 5, **changes)
    for start in (1, 3, 4):
        assert all(same(*pair) for pair in zip(whole[start:], batches(root, 5 - start, start=start, **changes), strict=True))
    for other in (dict(threads=3, prefetch=2), dict(memory=0)):
        assert all(same(*pair) for pair in zip(whole, batches(root, 5, **changes, **other), strict=True))
    halves = [batches(root, 5, process=(index, 2), **changes) for index in (0, 1)]
    for batch, *parts in zip(whole, *halves, strict=True):
        for key in ("source", "target", "source_domain", "target_domain"):
            assert np.array_equal(batch[key], np.concatenate([part[key] for part in parts]))
    assert not same(whole[0], batches(root, 1, seed=6, **changes)[0])


def test_every_test_picture_is_translated_to_every_other_domain(root):
    source = opened(root, "test")
    (batch,) = take(data.test_batches(source, asked(root), batch_size=len(source)), 1)
    pairs = [[side.split("_") for side in name.split("__")] for name in batch["name"]]
    assert len(source) == (3 + 2 + 2) * 2 and len(set(batch["name"])) == 14
    assert {(one[0], one[1], other[0]) for one, other in pairs} == {
        (one, str(i), other) for one, count in dict(a=2, b=2, c=3).items() for i in range(count)
        for other in "abc" if other != one}
    assert [(one[0], other[0]) for one, other in pairs[:6]] == [
        ("a", "b"), ("a", "c"), ("b", "a"), ("b", "c"), ("c", "a"), ("c", "b")]
    for row, (one, other) in enumerate(pairs):
        assert "abc"[batch["source_domain"][row].argmax()] == one[0]
        assert "abc"[batch["target_domain"][row].argmax()] == other[0]
    # Pairs that share a target picture say so, and no others.
    targets = [source.target_of(index) for index in range(14)]
    for i, (_, one) in enumerate(pairs):
        assert [j for j in range(14) if targets[j] == targets[i]] == [j for j, (_, other) in enumerate(pairs) if other == one]


def test_the_layout_of_cyclegan_and_the_other_direction(root, tmp_path):
    two = tmp_path / "two"
    for letter, count in dict(A=2, B=3).items():
        for split in ("train", "test"):
            for i in range(count):
                write_picture(two / f"{split}{letter}" / f"{i}.png", 10 * count + i)
    facts = opened(two, kind="unpaired").describe()
    assert (facts["domains"], facts["pairs"]) == (["A", "B"], 3)  # an epoch ends with the longer side
    there = opened(two, "test", kind="unpaired")
    assert [there.names[i] for i in range(len(there))] == ["testA_0__testB_0", "testA_1__testB_1"]
    back = opened(two, "test", kind="unpaired", exchange=True)
    assert [back.names[i] for i in range(3)] == ["testB_0__testA_0", "testB_1__testA_1", "testB_2__testA_0"]
    assert back[1]["source_domain"].tolist() == [0, 1] and np.array_equal(back[1]["source"], picture(31))


def test_a_share_is_taken_of_each_side(root):
    part = opened(root, kind="unpaired", domains=("c", "a"), share=0.5)
    assert [len(side.names) for side in part.sides] == [2, 2] and len(part) == part.describe()["pairs"] == 2
    whole = opened(root, kind="unpaired", domains=("c", "a"))
    assert set(part.sides[0].names[i] for i in range(2)) < set(whole.sides[0].names)


def test_bad_pictures_stop_the_run_or_are_left_out(root):
    (root / "train" / "b" / "1.png").write_bytes(b"")
    with pytest.raises(InputError, match="1 of 12 pictures in .* are bad .*1.png cannot be read as a picture: it is empty"):
        opened(root)
    facts = opened(root, bad_files="skip").describe()
    assert facts["pictures_of"]["b"] == 2 and list(facts["bad_files"]) == ["train/b/1.png"]


def test_the_middle_is_cut_out_before_resizing(root):
    write_picture(root / "train" / "a" / "0.png", 7, 40, 30)
    source = opened(root, center_crop=20, load_size=20, crop_size=20)
    side = source.sides[0]
    place = next(i for i in range(len(side.names)) if side.names[i] == "a_0")
    assert np.array_equal(side.load(place).picture, picture(7, 40, 30)[10:30, 5:25])


VECTORS = [(1, 0, 0, 1, 1), (0, 1, 0, 0, 1), (0, 0, 1, 1, 0), (0, 0, 0, 0, 0)]


@pytest.fixture
def celebrities(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    return make_attributes(tmp_path / "faces", [VECTORS[i % 4] for i in range(30)])


def test_the_split_is_that_of_a_shuffle_with_seed_1234(celebrities):
    random.seed(1234)
    order = list(range(30))
    random.shuffle(order)
    settings = dict(kind="attributes", test_lines=8)
    train = opened(celebrities, **settings)
    assert [train.sides[0].names[i] for i in range(22)] == [f"{i:03d}" for i in order[8:]]
    test = opened(celebrities, "test", **settings)
    assert [test.sides[0].names[i] for i in range(8)] == [f"{i:03d}" for i in order[:8]]
    assert train.describe()["domains"] == list(attributes.STARGAN)
    for batch in batches(celebrities, 4, **settings):
        for row, name in enumerate(batch["name"]):
            for side, number in zip(("source", "target"), name.split("+"), strict=True):
                assert np.array_equal(batch[side][row], picture(int(number)))
                assert batch[f"{side}_domain"][row].tolist() == list(VECTORS[int(number) % 4])


def test_translations_set_one_color_of_hair_and_toggle_the_rest(celebrities):
    settings = dict(kind="attributes", test_lines=8)
    source = opened(celebrities, "test", **settings)
    wanted = {}
    for i in range(len(source)):
        sample = source[i]
        one, other = sample["name"].split("__")
        attribute, real = other.rpartition("_")[::2]
        wanted.setdefault(int(one), {})[attribute] = sample["target_domain"].tolist()
        assert sample["source_domain"].tolist() == list(VECTORS[int(one) % 4])
        index = attributes.STARGAN.index(attribute)
        assert VECTORS[int(real) % 4][index] == sample["target_domain"][index]
        assert np.array_equal(sample["target"], picture(int(real)))
    black, none = (next(i for i in wanted if i % 4 == kind) for kind in (0, 3))
    assert wanted[black] == {"Blond_Hair": [0, 1, 0, 1, 1], "Brown_Hair": [0, 0, 1, 1, 1], "Male": [1, 0, 0, 0, 1],
                             "Young": [1, 0, 0, 1, 0]}
    assert wanted[none]["Black_Hair"] == [1, 0, 0, 0, 0] and len(wanted[none]) == 5


@pytest.mark.parametrize("changes, sentence", [
    (dict(domains=("a", "d")), "config.data.domains names d, but {0}/train holds a, b, c."),
    (dict(domains=("a",)), "{0}/train must hold a folder for each of two or more domains, found a."),
    (dict(domains=("a", "a")), "config.data.domains must not name anything twice, found a, a."),
    (dict(domains="ab"), "config.data.domains must be a tuple of names, found 'ab'."),
    (dict(exchange=True), "config.data.exchange is for sets of two sides, but config.data.kind is 'domains'."),
    (dict(kind="unpaired"), "config.data.domains must name the source and the target domain: folders of {0}/train, "
                            "which holds a, b, c."),
    (dict(kind="unpaired", domains=("a", "b", "c")),
     "config.data.domains must name two domains, source and target, found a, b, c."),
    (dict(folder="nowhere"), "config.data.folder names nowhere, but there is no such folder."),
    (dict(only="x"), "The pictures of a in the train split must be in {0}/train/a, which holds no picture whose name starts "
                     "with 'x' (config.data.only) (.png, .jpg, .jpeg, .webp, .bmp, .tif, .tiff)."),
    (dict(kind="attributes"), "The pictures must be in {0}/images or {0}/img_align_celeba, found neither."),
])
def test_mistakes_are_one_sentence(root, changes, sentence):
    with pytest.raises(InputError) as error:
        opened(root, **changes)
    assert str(error.value) == sentence.format(root)


def test_a_missing_folder_of_either_layout_is_told(root):
    with pytest.raises(InputError, match="The domains of the test_x split must be in .*test_x, but there is no such folder"):
        opened(root, "test", test_split="test_x")
    with pytest.raises(InputError, match="The pictures of A in the test_x split must be in .*test_xA, but there is no such"):
        opened(root, "test", kind="unpaired", test_split="test_x")


def list_of(root, edit):
    path = root / "list_attr_celeba.txt"
    path.write_text(edit(path.read_text()))


@pytest.mark.parametrize("harm, changes, sentence", [
    (lambda root: None, dict(domains=("Mael", "Young")),
     "config.data.domains names Mael, which {0}/list_attr_celeba.txt does not list; did you mean Male."),
    (lambda root: list_of(root, lambda text: text.replace("  1", "  2", 1)), {},
     "Line 3 of {0}/list_attr_celeba.txt must be a picture and 5 values of 1 or -1, found '000.png  2  -1  -1  1  1'."),
    (lambda root: (root / "list_attr_celeba.txt").unlink(), {},
     "The list of attributes {0}/list_attr_celeba.txt cannot be read: No such file or directory."),
    (lambda root: None, dict(test_lines=30),
     "{0}/list_attr_celeba.txt leaves no picture for the train split: its first 30 lines, shuffled, are the test split "
     "(config.data.test_lines), and names may have to start with config.data.only."),
])
def test_a_wrong_list_is_one_sentence(celebrities, harm, changes, sentence):
    harm(celebrities)
    with pytest.raises(InputError) as error:
        opened(celebrities, kind="attributes", **changes)
    assert str(error.value) == sentence.format(celebrities)


def test_a_listed_picture_that_is_missing_is_told_by_name(celebrities):
    (celebrities / "images" / "004.png").unlink()
    with pytest.raises(InputError, match="004.png cannot be read as a picture: there is no such file"):
        for split in ("train", "test"):
            opened(celebrities, split, kind="attributes", test_lines=8)
