"""Runs whose pictures have no counterparts: training, grids, evaluation, the user's own pictures, all domains by name."""

import copy
import csv
import functools
import json

import numpy as np
import pytest
import tiny_run
import toys
from make_set import make_attributes, make_domains
from PIL import Image

from gganjax import classifier, data, evaluate, methods, report, sample, settings, train, use
from gganjax.errors import InputError
from gganjax.methods import cyclegan
from gganjax.metrics import catalog, classification, distributions

SIZE = tiny_run.SIZE
NAMES = ("a", "b", "c")
PITCH = SIZE + report.GAP


def features(params, images):
    """In place of a large network: means of 64 parts of the picture."""
    images = np.asarray(images)
    return dict(features=images.reshape(len(images), 8, images.shape[1] // 8, 8, -1, 3).mean((2, 4)).reshape(len(images), -1))


def config_of(folder, **changes):
    config = copy.deepcopy(tiny_run.CONFIG)
    config.update(method="toy_domains", options={})
    config["data"] = dict(kind="domains", folder=str(folder), load_size=SIZE, crop_size=SIZE, threads=1) | changes
    config["evaluate"] |= dict(metrics=("psnr", "kid_efficientnet", "classification_accuracy"), limit=0, images=3,
                               feature_weights="random", batch_size=3, classifier_epochs=2)
    return config


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A set of three domains, and a run folder of a method of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GGANJAX_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(methods, "load", lambda name, options: toys.Domains(NAMES))
        patch.setattr(catalog, "_open", lambda network, weights: catalog.Opened(features, {}, {"network": "toy"}))
        patch.setattr(classifier.classification, "train",
                      functools.partial(classification.train, width=4, blocks=(1, 1), batch_size=8))
        root = make_domains(tmp_path_factory.mktemp("set"), train=(9, 7, 6), test=(3, 3, 2), names=("a", "b", "c"))
        folder = tiny_run.make(tmp_path_factory.mktemp("run"), config=config_of(root), method=toys.Domains(NAMES))
        yield root, folder


@pytest.fixture(scope="module")
def result(place):
    return evaluate.run(place[1])


def test_evaluation_compares_sets_and_asks_the_classifier(place, result):
    root, folder = place
    assert result["pairs"] == 16 and list(result["mean"]) == ["kid_efficientnet", "classification_accuracy"]
    assert result["left_out"] == {
        "psnr": "psnr compares a translation with its true target, and these test pictures have none."}
    record = result["record"]["classification_accuracy"]
    assert (record["epochs"], record["training_pictures"], record["held_out"]) == (2, 20, 2)
    assert 0 <= record["real_accuracy"] <= 100
    with (folder / "results" / "per_image.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [float(row["classification_accuracy"]) for row in rows]
    assert set(right) <= {0.0, 100.0} and np.mean(right) == pytest.approx(result["mean"]["classification_accuracy"])
    for domain in NAMES:
        of = [value for value, row in zip(right, rows, strict=True) if row["name"].split("__")[1].startswith(f"{domain}_")]
        assert result["domains"][domain]["mean"]["classification_accuracy"] == pytest.approx(np.mean(of))
    assert result["domains"]["c"]["mean"]["kid_efficientnet"] is None
    assert json.loads((folder / "results" / "metrics.json").read_text()) == result
    assert (folder / "results" / "examples.png").exists() and not (folder / "results" / "best.png").exists()
    assert "to a" in report.write(folder).read_text()


def test_every_real_picture_counts_once(place, result):
    """16 translations stand beside 8 real pictures; the number is KID of 16 against 8 feature rows.

    Domain c has two test pictures, too few for KID.
    """
    root, folder = place
    config = config_of(root)
    source = data.open_source(config["data"], "test")
    with data.test_batches(source, config["data"], batch_size=16) as batches:
        batch = next(batches)
    network = catalog.NETWORKS["efficientnet"]
    rows = lambda pictures: features({}, network.prepare(pictures / np.float32(127.5) - 1))["features"]
    fake = report.to_uint8(use.load(folder).outputs(batch)["fake_target"])
    real = np.stack([side.load(i).picture for side in source.sides[:1] for i in range(8)])
    assert result["mean"]["kid_efficientnet"] == pytest.approx(distributions.kid(rows(fake), rows(real)).value, rel=1e-3)
    to_a = batch["target_domain"].argmax(1) == 0
    labels = np.array([source.sides[0].load(i).domain.argmax() for i in range(8)])
    expected = distributions.kid(rows(fake[to_a]), rows(real[labels == 0])).value
    assert result["domains"]["a"]["mean"]["kid_efficientnet"] == pytest.approx(expected, rel=1e-2)  # batches round differently


def test_the_classifier_is_trained_once_for_the_same_pictures(place, result, monkeypatch):
    root, folder = place
    config = config_of(root)
    calls = []
    train_one = classifier.classification.train
    monkeypatch.setattr(classifier.classification, "train", lambda *a, **k: calls.append(1) or train_one(*a, **k))
    again, record = classifier.of_run(config, folder / "results", epochs=2)
    assert not calls and record["real_accuracy"] == result["record"]["classification_accuracy"]["real_accuracy"]
    images = np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
    assert classification.right(again, images, np.zeros(5, int)).shape == (5,)
    (folder / "results" / "classifier.npz").write_bytes(b"half")
    classifier.of_run(config, folder / "results", epochs=2)
    classifier.of_run(config, folder / "results", epochs=3)
    assert len(calls) == 2


def test_metrics_that_need_targets_cannot_be_asked_for(place, tmp_path):
    _, folder = place
    with pytest.raises(InputError, match="lpips compares a translation with its true target"):
        evaluate.run(folder, output=tmp_path, extra=["lpips"])
    for name in ("kl_score", "top1_accuracy", "frd"):
        with pytest.raises(InputError, match=f"{name} compares a translation with its true target"):
            evaluate.run(folder, output=tmp_path, extra=[name])


def test_attributes_have_no_classes_but_are_evaluated(place, tmp_path, monkeypatch):
    root = make_attributes(tmp_path / "faces", [(1, 0), (0, 0), (0, 1), (1, 1)] * 3, names=("Male", "Young"))
    config = config_of(root, kind="attributes", domains=["Male", "Young"], test_lines=4)
    monkeypatch.setattr(methods, "load", lambda name, options: toys.Domains(("Male", "Young")))
    folder = tiny_run.make(tmp_path / "run", config=config, method=toys.Domains(("Male", "Young")))
    found = evaluate.run(folder)
    assert found["pairs"] == 8 and list(found["mean"]) == ["kid_efficientnet"] and "domains" not in found
    assert "needs data of one domain a picture (domains or unpaired), found attributes" in found["left_out"][
        "classification_accuracy"]


def test_training_shows_each_source_in_every_domain(place, tmp_path):
    root, _ = place
    config = toys.config("plain", steps=1)
    config.data.update(kind="domains", folder=str(root), load_size=toys.SIZE + 2, crop_size=toys.SIZE)
    config.sample_every, config.sample_count = 1, 3
    done = train.train(config, tmp_path / "run", method=toys.Domains(NAMES, dropout=0.5))
    assert done["step"] == 1
    width = Image.open(tmp_path / "run" / "samples" / "step_00000001.png").size[0]
    assert width == report.GAP + 4 * (toys.SIZE + report.GAP)  # source and three domains


def test_domains_of_method_and_data_must_agree(place, tmp_path):
    root, _ = place
    config = toys.config("plain", steps=1)
    config.data.update(kind="domains", folder=str(root), domains=("c", "a", "b"))
    with pytest.raises(InputError) as error:
        train.train(config, tmp_path / "run", method=toys.Domains(NAMES))
    assert str(error.value) == (
        "toy_domains translates between the domains a, b, c, but the data of kind domains have c, a, b: name the same "
        "ones in config.options.domains and config.data.domains, in one order.")
    config.data.update(kind="drawn", domains=(), people=1, test_people=1, poses=2)
    with pytest.raises(InputError, match="but the data of kind drawn have none"):
        train.train(config, tmp_path / "run", method=toys.Domains(NAMES))
    assert not (tmp_path / "run").exists()
    settings.check_domains({}, toys.Toy("plain"), data.open_source(data.DEFAULTS, "test"))


PHOTO = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)


@pytest.mark.parametrize("given, vectors", [
    ("b", [[0, 1, 0]] * 4),
    (["a", "c", "b", "a+c"], [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 1]]),
    ([0, 1, 0], [[0, 1, 0]] * 4),
    (np.eye(4, 3), np.eye(4, 3).tolist()),
])
def test_domains_are_names_or_vectors(place, given, vectors):
    translate = use.load(place[1])
    expected = translate(source=PHOTO, target_domain=np.array(vectors, np.float32))
    np.testing.assert_array_equal(translate(source=PHOTO, target_domain=given), expected)
    assert (translate(source=PHOTO, target_domain="a") != translate(source=PHOTO, target_domain="b")).any()
    one = translate(source=PHOTO[0], target_domain="a+c")
    assert one.shape == (SIZE, SIZE, 3) and np.abs(one.astype(int) - translate(
        source=PHOTO[:1], target_domain=["a+c"])[0]).max() <= 1


@pytest.mark.parametrize("given, sentence", [
    ("d", "'d' is no domain; expected one of a, b, c."),
    (["a", "b", "c", "a+d"], "'d' is no domain; expected one of a, b, c."),
    ([0, 2, 0], "'target_domain' must be numbers from 0 to 1, found 0 to 2."),
    (None, "'target_domain' must be uint8 or float, found object."),
])
def test_wrong_domains_are_told(place, given, sentence):
    with pytest.raises(InputError) as error:
        use.load(place[1])(source=PHOTO, target_domain=given)
    assert str(error.value) == sentence
    with pytest.raises(InputError, match=r"'target_domain' has shape \[2, 3\]"):
        use.load(place[1])(source=PHOTO, target_domain=["a", "b"])


def test_the_users_pictures_meet_every_domain_or_those_named(place, tmp_path):
    _, folder = place
    for i in range(2):
        Image.fromarray(PHOTO[i]).save(tmp_path / f"photo{i}.png")
    paths = [str(tmp_path / f"photo{i}.png") for i in range(2)]
    written = sample.run(folder, images=paths, output=tmp_path / "all")
    assert [path.name for path in written] == [f"photo{i}__{name}.png" for name in NAMES for i in range(2)] + ["grid.png"]
    sheet = np.asarray(Image.open(written[-1]))
    top = sheet.shape[0] - 2 * PITCH
    made = use.load(folder)(source=PHOTO[:2], target_domain="b")
    shown = sheet[top + PITCH : top + PITCH + SIZE, report.GAP + 2 * PITCH : 3 * PITCH]
    assert np.abs(shown.astype(int) - made[1]).max() <= 1
    np.testing.assert_array_equal(sheet[top : top + SIZE, report.GAP : PITCH], PHOTO[0])
    written = sample.run(folder, images=paths[:1], domains=["c", "a+b"], output=tmp_path / "some")
    assert [path.name for path in written] == ["photo0__c.png", "photo0__a+b.png", "grid.png"]
    with pytest.raises(InputError, match="'e' is no domain"):
        sample.run(folder, images=paths, domains=["e"], output=tmp_path / "none")
    with pytest.raises(InputError) as error:
        sample.run(folder, images=paths, skeletons=[paths[0]], output=tmp_path / "none")
    assert str(error.value) == (
        "toy_domains takes source and target_domain, but --skeletons gives it target_guidance.")
    assert not (tmp_path / "none").exists()


def test_a_method_of_a_source_alone_needs_nothing_else(place, tmp_path, monkeypatch):
    root, _ = place
    options = dict(width=4, blocks=1, discriminator_width=4, discriminator_layers=1, pool_size=2)
    monkeypatch.setattr(methods, "load", lambda name, given: cyclegan.build(**given))
    config = config_of(root, kind="unpaired", domains=["a", "b"]) | dict(method="cyclegan", options=options)
    folder = tiny_run.make(tmp_path / "run", config=config)
    Image.fromarray(PHOTO[0]).save(tmp_path / "photo.png")
    written = sample.run(folder, images=[str(tmp_path / "photo.png")])
    assert [path.name for path in written] == ["photo__translated.png", "grid.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(written[0])), use.load(folder)(source=PHOTO[0]))
    found = evaluate.run(folder)
    assert found["pairs"] == 3 and found["record"]["classification_accuracy"]["training_pictures"] == 15
