"""`gganjax.load` gives the trained generator as a function that checks what it is given."""

import jax
import numpy as np
import pytest
import tiny_run

from gganjax import checkpoint, core, methods, use
from gganjax.errors import InputError

SIZE = tiny_run.SIZE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_run.make(tmp_path_factory.mktemp("run"), steps=(3, 7))


@pytest.fixture(scope="module")
def translator(folder):
    return use.load(folder)


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    return {name: random.integers(0, 256, (10, SIZE, SIZE, 3), dtype=np.uint8) for name in ("source", "target_guidance")}


def test_it_is_the_networks_forward_pass(folder, translator, images):
    networks = checkpoint.load_networks(folder)
    method = methods.load("gesturegan", tiny_run.CONFIG["options"])
    floats = {name: image[:2] / np.float32(127.5) - 1 for name, image in images.items()}
    joined = np.concatenate([floats["source"], floats["target_guidance"]], axis=-1)
    variables = {"params": networks["params"]["generator"], "moving": networks["moving"]["generator"]}
    mode = core.Mode(dropout=False, keep=False)
    expected = jax.jit(lambda x: method.nets["generator"].apply(variables, x, mode))(joined)
    made = translator(**floats)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, atol=1e-5)
    exported = translator(**{name: image[:2] for name, image in images.items()})
    assert exported.dtype == np.uint8
    assert np.abs(exported - (made + 1) * 127.5).max() <= 0.501


def test_any_number_of_images_takes_two_compilations_and_changes_no_image(folder, images, monkeypatch):
    translator = use.load(folder, chunk=4)
    traces, sample = [], translator.method.sample
    monkeypatch.setattr(translator.method, "sample", lambda *a: traces.append(1) or sample(*a))
    whole = translator(**images)
    for count in (1, 2, 3, 4, 5, 7, 9):
        part = translator(**{name: image[:count] for name, image in images.items()})
        assert part.shape == (count, SIZE, SIZE, 3)
        assert np.abs(part.astype(int) - whole[:count]).max() <= 1  # a batch of one may round the other way
    assert len(traces) == 2


def test_a_single_image_needs_no_batch_axis(translator, images):
    single = translator(**{name: image[3] for name, image in images.items()})
    batch = translator(**{name: image[3:4] for name, image in images.items()})
    np.testing.assert_array_equal(single, batch[0])


def test_other_sizes_work_when_they_fit_the_stride(translator):
    wide = np.zeros((SIZE, SIZE + 8, 3), np.uint8)
    assert translator(source=wide, target_guidance=wide).shape == wide.shape


def test_averaged_weights_are_preferred(folder, translator, images):
    networks = checkpoint.load_networks(folder)
    halved = jax.tree.map(lambda x: x / 2, networks["params"]["generator"])
    method, config = translator.method, translator.config
    averaged = use.Translator(method, {**networks, "ema": {"generator": halved}}, config, 7)
    plain = use.Translator(method, {**networks, "params": {**networks["params"], "generator": halved}}, config, 7)
    one = {name: image[0] for name, image in images.items()}
    np.testing.assert_array_equal(averaged(**one), plain(**one))
    assert (averaged(**one) != translator(**one)).any()


def test_stored_statistics_and_dropout_are_choices(folder, translator, images):
    one = {name: image[0] for name, image in images.items()}
    running, noisy = use.load(folder, norm="running"), use.load(folder, dropout=True)
    assert (running(**one) != translator(**one)).any()
    np.testing.assert_array_equal(noisy(**one, seed=1), noisy(**one, seed=1))
    assert (noisy(**one, seed=1) != noisy(**one, seed=2)).any()


def test_run_folder_checkpoints_folder_and_single_checkpoint_load(folder):
    steps = [use.load(folder / part).step for part in (".", "checkpoints", "checkpoints/3", "checkpoints/7")]
    assert steps == [7, 7, 3, 7]


P = np.zeros((2, SIZE, SIZE, 3), np.uint8)


@pytest.mark.parametrize("given, sentence", [
    (dict(), "'source' is missing: gesturegan takes source, target_guidance."),
    (dict(source=P), "'target_guidance' is missing: gesturegan takes source, target_guidance."),
    (dict(source=P, target_guidence=P), "'target_guidence' is no input of gesturegan; did you mean target_guidance."),
    (dict(source=P, target_guidance=P, x=P), "'x' is no input of gesturegan; expected one of source, target_guidance."),
    (dict(source=P, target_guidance=P[0]),
     "all inputs must have a batch axis or none, found source [2, 32, 32, 3], target_guidance [32, 32, 3]."),
    (dict(source=P.astype(int), target_guidance=P), "'source' must be uint8 or float, found int64."),
    (dict(source=P, target_guidance=P + 255.0), "'target_guidance' must be uint8, or floats from -1 to 1, found 255 to 255."),
    (dict(source=P * np.nan, target_guidance=P), "'source' must be uint8, or floats from -1 to 1, found nan to nan."),
    (dict(source=P[:0], target_guidance=P[:0]), "'source' holds no image."),
])
def test_wrong_images_are_told_in_one_sentence(translator, given, sentence):
    with pytest.raises(InputError) as error:
        translator(**given)
    assert str(error.value) == sentence


@pytest.mark.parametrize("given, words", [
    (dict(source=P[..., :1], target_guidance=P), ("'source'", "[2, 32, 32, 1]", "3")),
    (dict(source=P, target_guidance=P[:1]), ("'target_guidance'", "[1, 32, 32, 3]", "2")),
    (dict(source=P[:, :30], target_guidance=P[:, :30]), ("'source'", "30", "multiple of 4")),
    (dict(source=P[0, 0], target_guidance=P[0, 0]), ("'source'", "[32, 3]")),
])
def test_wrong_sizes_name_the_input_and_what_was_expected(translator, given, words):
    with pytest.raises(InputError) as error:
        translator(**given)
    assert all(word in str(error.value) for word in words), error.value


def test_folders_without_a_checkpoint_are_told(tmp_path):
    with pytest.raises(InputError, match="does not exist; expected a run folder or a checkpoint"):
        use.load(tmp_path / "nothing")
    with pytest.raises(InputError, match="holds no checkpoint"):
        use.load(tmp_path)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, caplog):
    tiny_run.make(tmp_path, steps=(3, 7))
    next(path for path in (tmp_path / "checkpoints" / "7" / "state").rglob("*") if path.is_file()).write_bytes(b"")
    assert use.load(tmp_path).step == 3
    assert str(tmp_path / "checkpoints" / "7") in caplog.text
