"""A user's own label maps become pictures, in several styles; classes are painted and told on a page."""

import re
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from make_set import folder_settings, picture
from PIL import Image

from gganjax import class_page, data, report, sample, use
from gganjax.core import PICTURE, Field
from gganjax.data import palettes
from gganjax.errors import InputError

CLASSES, SIZE = 4, (8, 12)
COLORS = np.array([(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)], np.uint8)


class Toy:
    """A method whose picture tells its inputs: label, instance and what it drew, in red, green and blue."""

    name, stride = "toy", 4

    def __init__(self, *inputs):
        numbers = {"labels": Field(("B", "H", "W"), 0, CLASSES), "instances": Field(("B", "H", "W"), 0, 2**31 - 1)}
        self.inputs, self.fields = inputs, {name: numbers[name] for name in inputs} | {"target": PICTURE}

    def sample(self, key, call, batch):
        drawn = jax.random.uniform(key, batch["labels"].shape[:1])[:, None, None] + 0.0 * batch["labels"]
        parts = batch["labels"] / 10, batch.get("instances", batch["labels"]) / 1000, drawn
        return {"fake_target": jax.numpy.stack(parts, axis=-1)}


def level(values):
    """Values in [-1, 1] as the 8-bit levels of a saved picture."""
    return np.rint((np.asarray(values, np.float32) + 1) * 127.5).astype(int)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A set of maps of four classes, one of which is never seen, with unknown pixels in the first column."""
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    for split in ("train", "test"):
        for i in range(2):
            labels = np.random.default_rng(i).integers(0, 3, SIZE, np.uint8)
            labels[:, 0] = 255
            for part, array in dict(labels=labels, images=picture(i, *SIZE), instances=labels).items():
                (folder / split / part).mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(folder / split / part / f"{i}.png")
    (folder / "palette.csv").write_text("".join("{},{},{}\n".format(*color) for color in COLORS))
    return folder


def settings(root, **changes):
    return folder_settings(root, kind="labels", classes=CLASSES, unknown="on", load_size=SIZE[0], load_width=SIZE[1],
                           crop_size=SIZE[0], crop_width=SIZE[1], **changes)


def translator(root, *inputs):
    networks = dict(params={}, ema={}, moving={})
    return use.Translator(Toy(*inputs), networks, {"data": settings(root)}, 7)


@pytest.fixture
def run(root, tmp_path, monkeypatch):
    """`sample.run` with the toy, as a function of the inputs it takes and further arguments."""
    def call(*inputs, images=("map.png",), **arguments):
        monkeypatch.setattr(use, "load", lambda folder: translator(root, *inputs))
        return sample.run(tmp_path, images=[str(tmp_path / name) for name in images], **arguments)

    Image.fromarray(MAP).save(tmp_path / "map.png")
    return call


MAP = np.random.default_rng(9).integers(0, CLASSES, SIZE, np.uint8)


def test_a_label_map_is_whole_numbers_with_or_without_a_batch_axis(root):
    toy = translator(root, "labels")
    made = toy(labels=MAP)
    assert made.dtype == np.uint8 and np.array_equal(made[..., 0], level(MAP / 10))
    assert np.array_equal(toy(labels=MAP[None].astype(np.int64))[0], made)
    assert (toy(labels=MAP, seed=1)[..., 2] != made[..., 2]).all() and np.array_equal(toy(labels=MAP, seed=0), made)


@pytest.mark.parametrize("given, sentence", [
    (dict(labels=MAP + np.uint8(2)), "'labels' must be whole numbers from 0 to 4, found 2 to 5."),
    (dict(labels=MAP / 2), "'labels' must be whole numbers, found float64."),
    (dict(labels=MAP[:, :7]), "batch field 'labels' has W = 7, expected a multiple of 4."),
    (dict(labels=MAP[..., None].repeat(3, axis=2)),
     "'labels' must be whole numbers [B, H, W] or [H, W], found [8, 12, 3]; a color picture is turned into classes by"
     " read_labels of the loaded model."),
])
def test_wrong_label_maps_are_one_sentence(root, given, sentence):
    with pytest.raises(InputError) as error:
        translator(root, "labels")(**given)
    assert str(error.value) == sentence


def test_maps_are_read_as_those_of_training(root, tmp_path):
    """Numbers or colors, of any size; 255, 4 and black are unknown."""
    toy, wanted = translator(root, "labels"), MAP.astype(np.int32)
    wanted[0, :3] = CLASSES
    stored = MAP.copy()
    stored[0, :2], stored[0, 2] = 255, 4
    Image.fromarray(stored).resize((24, 16), Image.Resampling.NEAREST).save(tmp_path / "numbers.png")
    painted = palettes.paint(wanted, COLORS)
    Image.fromarray(painted).save(tmp_path / "colors.png")
    for name in ("numbers", "colors"):
        found = toy.read_labels(tmp_path / f"{name}.png")
        assert found.dtype == np.int32 and np.array_equal(found, wanted)
    Image.fromarray(MAP + np.uint8(3)).save(tmp_path / "high.png")
    with pytest.raises(InputError) as error:
        toy.read_labels(tmp_path / "high.png")
    assert str(error.value) == (
        f"{tmp_path}/high.png holds the label 6, expected 0 to 3 (4 classes), and 4 or 255 for unknown.")


def test_an_edited_map_gives_another_picture_only_where_it_was_edited(run, tmp_path):
    edited = MAP.copy()
    edited[2:4, 2:4] = 3 - edited[2:4, 2:4]
    Image.fromarray(edited).save(tmp_path / "edited.png")
    written = run("labels", images=("map.png", "edited.png"), output=tmp_path / "out")
    assert [path.name for path in written] == ["map__translated.png", "edited__translated.png", "grid.png"]
    one, other = (np.asarray(Image.open(path))[..., 0] for path in written[:2])
    assert np.array_equal(one, level(MAP / 10)) and np.array_equal(other, level(edited / 10))
    sheet = np.asarray(Image.open(written[2]))
    top = sheet.shape[0] - 2 * (SIZE[0] + report.GAP)
    assert np.array_equal(sheet[top : top + SIZE[0], report.GAP : report.GAP + SIZE[1]], COLORS[MAP])


def test_styles_are_the_seeds(run, root, tmp_path):
    written = run("labels", styles=3, output=tmp_path / "out")
    assert [path.name for path in written] == [*(f"map__style_{i}.png" for i in (1, 2, 3)), "grid.png"]
    toy = translator(root, "labels")
    for seed, path in enumerate(written[:3]):
        assert np.array_equal(np.asarray(Image.open(path)), toy(labels=MAP, seed=seed))


def test_instance_maps_are_given_or_are_the_regions_of_the_classes(run, tmp_path):
    picture_of = lambda written: np.asarray(Image.open(written[0]))[..., 1]
    assert np.array_equal(picture_of(run("labels", "instances")), level(MAP / 1000))
    own = np.arange(96, dtype=np.uint16).reshape(SIZE)
    (tmp_path / "own").mkdir()
    Image.fromarray(own).save(tmp_path / "own" / "map.png")
    assert np.array_equal(picture_of(run("labels", "instances", instances=[str(tmp_path / "own")])), level(own / 1000))


@pytest.mark.parametrize("inputs, arguments, sentence", [
    (("labels",), dict(instances=["x.png"]), "toy takes labels, but --instances gives it instances."),
    (("labels",), dict(styles=0), "--styles must be at least 1, found 0."),
    (("labels",), dict(domains=["a"]), "toy takes labels, but --domains gives it target_domain."),
    (("labels", "instances"), dict(instances=["set"]),
     "the instance map of map.png is missing: --instances must hold a picture map."),
])
def test_what_does_not_fit_is_one_sentence(run, tmp_path, inputs, arguments, sentence):
    if "instances" in arguments and inputs != ("labels",):
        arguments = dict(instances=[str(tmp_path / "set" / "train" / "instances")])
    with pytest.raises(InputError) as error:
        run(*inputs, **arguments)
    assert str(error.value) == sentence


def test_classes_in_a_grid_have_the_colors_of_the_set(root):
    source = data.open_source(settings(root), "train")
    labels = np.stack([MAP, np.full_like(MAP, CLASSES)]).astype(np.int32)
    painted = report.as_picture(labels, palette=source.palette)
    assert np.array_equal(painted[0], COLORS[MAP]) and not painted[1].any()
    plain = report.as_picture(labels)
    assert len({tuple(color) for color in plain.reshape(-1, 3).tolist()}) == CLASSES + 1


def test_the_page_tells_every_class_with_its_color_and_share(root, tmp_path):
    sources = {split: data.open_source(settings(root), split) for split in ("train", "test")}
    text = class_page.write_check(tmp_path / "check.html", sources, ("labels", "instances", "target")).read_text()
    rows = re.findall(r"rgb\((\d+,\d+,\d+)\).*?<td>([^<]*)</td>.*?<td class=\"number\">([^<]*)</td>", text)
    stored = np.stack([np.asarray(Image.open(root / f"train/labels/{i}.png")) for i in range(2)])
    shares = [f"{(stored == k).mean():.2%}" for k in range(3)]
    assert rows == [
        *(("{},{},{}".format(*COLORS[k]), str(k), shares[k]) for k in range(3)),
        ("250,250,0", "3", "&ndash;"), ("0,0,0", "4, unknown", f"{1 / SIZE[1]:.2%}"),
    ]  # fmt: skip
    assert text.count("<img") == 2 * 2 * 3 and "<figcaption>instances" in text  # source, target and instances of two samples
    facts = sources["train"].describe()
    assert facts["classes_never_seen"] == [3] and facts["unknown_pixels"] == f"{1 / SIZE[1]:.2%}"
    assert class_page.write_check(tmp_path / "none.html", {"train": SimpleNamespace(classes=None)}, ()) is None


def test_the_page_shows_the_class_panels_of_strips(tmp_path, monkeypatch):
    monkeypatch.setenv("GGANJAX_CACHE", str(tmp_path / "cache"))
    gray = np.full((8, 16, 3), 20, np.uint8)
    (tmp_path / "train").mkdir()
    Image.fromarray(np.concatenate([picture(0, 8, 32), gray], axis=1)).save(tmp_path / "train" / "a.png")
    source = data.open_source(folder_settings(tmp_path, kind="strips", load_size=8, crop_size=8), "train")
    text = class_page.write_check(tmp_path / "check.html", {"train": source}, ("source", "target_classes")).read_text()
    assert "0, unknown" in text and text.count("100.00%") == 1 and "rgb(128,64,128)" in text
    assert text.count("<img") == 3 and "<figcaption>target classes" in text
