"""Metrics over many pictures do not depend on how they come in batches, and say what they rest on."""

import numpy as np
import pytest

from gganjax import core, features
from gganjax.errors import InputError
from gganjax.metrics import catalog, distributions, stream

SIZE = (32, 40)


def pictures(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)


@pytest.fixture
def narrow(monkeypatch):
    """Inception at an eighth of its width."""
    network = catalog.NETWORKS["inception"]
    monkeypatch.setitem(catalog.NETWORKS, "inception", network._replace(options=(*network.options, ("divisor", 16))))


def test_batches_padding_and_columns_do_not_change_the_numbers():
    names = ("psnr", "ssim", "psnr_lua", "l1")
    real, fake, source = (pictures(5, seed) for seed in range(3))
    whole = stream.Stream(names, size=SIZE, columns=("fake", "source"))
    whole.update(real, fake=fake, source=source)
    parts = stream.Stream(names, size=SIZE, columns=("fake", "source"))
    parts.update(real[:3], fake=fake[:3], source=source[:3])
    last = [np.concatenate([x[3:], x[:1]]) for x in (real, fake, source)]
    values = parts.update(last[0], fake=last[1], source=last[2], valid=[True, True, False])
    assert whole.count == parts.count == 5 and values["fake"]["psnr"].shape == (3,)
    for column in ("fake", "source"):
        for name in names:
            one, other = (each.results()[column][name] for each in (whole, parts))
            assert one["value"] == pytest.approx(other["value"], rel=1e-6)
            assert one["std"] == pytest.approx(other["std"], rel=1e-5)
    mean = np.mean([10 * np.log10(255**2 / np.mean((a - b) ** 2)) for a, b in zip(real.astype(float), source.astype(float))])
    assert whole.results()["source"]["psnr"]["value"] == pytest.approx(mean, rel=1e-6)
    fake = whole.results()["fake"]
    assert fake["psnr_lua"]["value"] - fake["psnr"]["value"] == pytest.approx(5.9866, abs=1e-4)


def test_features_are_computed_once_and_compared_as_sets(narrow):
    real, fake = pictures(6, 0), pictures(6, 1)
    measure = stream.Stream(("fid", "kid"), size=SIZE, weights="random")
    for start in (0, 3):
        measure.update(real[start : start + 3], fake=fake[start : start + 3])
    found = measure.results()["fake"]
    module, load = features.network("inception", weights="random", divisor=16)
    apply = lambda x: np.asarray(module.apply({"params": load()}, core.prepare({"x": x})["x"]).pool)
    rows_fake, rows_real = apply(fake), apply(real)
    assert found["fid"]["value"] == pytest.approx(distributions.fid(rows_fake, rows_real), rel=1e-4)
    assert found["fid"]["singular"] is True  # 6 pictures, 128 features
    value, error = distributions.kid(rows_fake, rows_real)
    assert found["kid"] == pytest.approx({"value": value, "standard_error": error}, rel=1e-3, abs=1e-7)
    record = measure.record()["kid"]
    assert (record["weights"], record["samples"], record["size"]) == ("random", 6, "32x40")
    assert record["network"] == "inception" and record["resizing"].startswith("299x299")


def test_every_metric_has_a_function_and_a_known_network():
    for name, metric in catalog.METRICS.items():
        assert bool(metric.pair) + bool(metric.distance) + bool(metric.collect) + metric.labeled == 1, name
        if metric.network:
            network = catalog.NETWORKS[metric.network]
            assert network.source in features.NETWORKS and metric.distance == network.distance
            assert metric.distance or metric.head in network.heads, name
            assert not metric.distance or not network.heads


def test_which_metrics_need_counterparts():
    sets = {"fid", "fid_ttur", "fid_efficientnet", "kid", "kid_efficientnet", "inception_score", "mask_inception_score",
            "inception_score_scene", "inception_score_top1", "inception_score_top5", "classification_accuracy"}
    assert {name for name in catalog.METRICS if not catalog.needs_pairs(name)} == sets


def test_real_pictures_that_come_again_count_once_and_groups_have_their_own_numbers(narrow):
    real, fake = pictures(8, 0), pictures(8, 1)
    again = np.concatenate([real[:4], real[:4]])
    groups = ["x", "y", "x", "y"] * 2
    measure = stream.Stream(("fid", "kid"), size=SIZE, weights="random")
    for start in (0, 4):
        part = slice(start, start + 4)
        measure.update(again[part], fake=fake[part], new=[start == 0] * 4, groups=groups[part])
    plain = stream.Stream(("fid", "kid"), size=SIZE, weights="random")
    plain.update(again[:4], fake=fake[:4])
    plain.update(again[4:], fake=fake[4:])
    rows = {side: plain._rows[side]["inception", "pool", catalog.Rows].all() for side in ("fake", "real")}
    found = measure.results()["fake"]
    assert found["kid"]["value"] == pytest.approx(distributions.kid(rows["fake"], rows["real"][:4])[0], rel=1e-4, abs=1e-7)
    assert found["fid"]["value"] == pytest.approx(distributions.fid(rows["fake"], rows["real"][:4]), rel=1e-4)
    assert set(measure.grouped()["fake"]["x"]) == {"kid"}  # running sums have no parts
    assert np.isnan(measure.grouped()["fake"]["x"]["kid"])  # two real pictures are too few


def test_a_classifier_must_be_given_where_one_is_asked():
    with pytest.raises(InputError, match="classification_accuracy needs a classifier of real pictures"):
        stream.Stream(["classification_accuracy"], size=SIZE)


def test_mistakes_are_one_sentence():
    with pytest.raises(InputError, match="'pnsr' is no metric; did you mean psnr"):
        stream.Stream(["pnsr"], size=SIZE)
    with pytest.raises(InputError, match="ms_ssim needs pictures of at least 161x161 pixels, these have 32x40"):
        stream.Stream(["ms_ssim"], size=SIZE)
    with pytest.raises(InputError, match="There are no pictures to compare"):
        stream.Stream(["psnr"], size=SIZE).results()


def test_missing_weights_name_the_file_and_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GGANJAX_WEIGHTS", str(tmp_path))
    catalog._open.cache_clear()
    with pytest.raises(InputError, match="inception.*fetch_weights"):
        stream.Stream(["fid"], size=SIZE)
