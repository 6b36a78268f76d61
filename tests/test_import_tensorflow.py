"""TensorFlow's checkpoints, read without TensorFlow, and PG2's networks taken from them."""

import base64
import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from gganjax import checkpoint, core, methods, port, settings, use
from gganjax.errors import InputError
from gganjax.port import pg2

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))

import import_tensorflow
import tensor_bundle

# Written by TensorFlow 2.21 (compat.v1 Saver); of text and of truth values it holds a variable each, too.
INDEX = (
    "000IE0U81b0RR;bP;YZ(UqMALM=wKfZgwwXX<>6^a|i(v1QG%W0Vo7DLM$>C4+j}{Woc(<baMy+5)2Xo2mulT2m%rU2m>GlC>S-s+dUT+1sN|v"
    "WMORx0TK)n0tf*T0tf;U0tf>j94Hty&-7n>00j+WZ*^{T2m=xTAT%fhH3@8gTL1<PWN&q1Y-I=n5&$4LC<rx(Z7rz)1Px|vVP^;m5&$4TC;>GE"
    "D=0$%1QBRqY-R`(5(E+g2m&BMC<HYxEW~~Q1Pya^WpD@y5&$4YC<ry$StbYo1Pym@a%2bx5&$4gC<!$iOfx?K00001000004b1zY000000RR91"
    "0KoF0umAxAcmVqW000000RR9104#8b=70hSjRFq<000000000000000000000000000000000000000009X5fizIbN+W"
)
DATA = (
    "006+h00000004kL0000$002Nh004kM005vs000000000000000000000000000000{r~^}nwgoInVGpi0RT7vKw#<s0000000d%D>y~t7cys"
)
VALUES = {
    "Pose_AE/G/Conv/weights": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "Pose_AE/G/Conv/biases": np.array([-1.5], np.float32),
    "Pose_AE/G/Conv/weights/Adam": np.zeros((1, 2, 3), np.float32),
    "step": np.int64(60_000),
    "count": np.int32(-3),
    "half": np.array([0.5, 2], np.float16),
    "double": np.float64(0.1),
}
NETWORKS = dict(width=2, levels=4, code=3, discriminator_width=3, guidance_channels=18)


@pytest.fixture
def index(tmp_path):
    """The index file of the recorded checkpoint."""
    (tmp_path / "model.ckpt-7.index").write_bytes(base64.b85decode(INDEX))
    (tmp_path / "model.ckpt-7.data-00000-of-00001").write_bytes(base64.b85decode(DATA))
    return tmp_path / "model.ckpt-7.index"


def test_a_checkpoint_is_read_as_it_was_written(index):
    found = tensor_bundle.read(index)
    assert set(found) == set(VALUES)
    for name, value in VALUES.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape
        np.testing.assert_array_equal(found[name], value)


def test_damaged_checkpoints_are_one_sentence(index, tmp_path, capsys):
    def told(file=index):
        with pytest.raises(InputError) as error:
            import_tensorflow.read(file)
        return str(error.value).replace(f"{tmp_path}/", "")

    whole, data = index.read_bytes(), tmp_path / "model.ckpt-7.data-00000-of-00001"
    assert told(tmp_path / "gone.index") == (
        "gone.index does not exist; expected the .index file of a TensorFlow checkpoint")
    data.write_bytes(data.read_bytes()[:40])
    assert told() == "model.ckpt-7.data-00000-of-00001 is cut off: expected at least 52 bytes, found 40"
    data.unlink()
    assert told() == (
        "model.ckpt-7.index belongs to model.ckpt-7.data-00000-of-00001, but there is no such file beside it")
    for content in (whole[:-1], b"", whole[:20] + whole[-48:], bytes(50) + whole[-48:]):
        index.write_bytes(content)
        assert told().startswith("model.ckpt-7.index cannot be read as the index of a TensorFlow checkpoint: ")
    (tmp_path / "old.ckpt").write_bytes(b"x")
    assert told(tmp_path / "old.ckpt").startswith("old.ckpt is no .index file and has none beside it; write its ")


def released(method, config, tables):
    """Variables of a release of toy networks under TensorFlow's names, and our parameters behind them."""
    shapes = core.shapes(method, settings.example(config, method))
    random = np.random.default_rng(0)
    params = jax.tree.map(lambda x: random.normal(0, 0.1, x.shape).astype(np.float32), shapes)
    variables = {}
    for net, table in tables.items():
        variables |= port.to_torch(table, {"params": params[net]})
    return params, variables


@pytest.mark.parametrize("form", ["triplet_market", "triplet_df256"])
def test_published_networks_become_a_folder_to_use(form, tmp_path, capsys):
    """Of either graph, with all networks and with the coarse generator alone."""
    fashion = form == "triplet_df256"
    options = NETWORKS | dict(top_skip=fashion, discriminator=form, discriminator_layers=4 + fashion, signed_maps=True)
    method = methods.load("pg2", options)
    height, width = (256, 256) if fashion else (128, 64)  # of the variants
    config = dict(data=dict(crop_size=height, crop_width=width))
    tables = pg2.tables(options | dict(refiner=True))
    params, variables = released(method, config, tables)
    others = {"Pose_AE/G/Conv/weights/Adam": np.zeros(3), "step": np.int64(60_000)}
    np.savez(tmp_path / "all.npz", **variables, **others)
    assert import_tensorflow.main(["pg2", str(tmp_path / "all.npz"), "--output", str(tmp_path / "run")]) == 0
    translate = use.load(tmp_path / "run")
    told = translate.config["options"]
    assert {name: told[name] for name in options} == options and told["refiner"]
    networks = checkpoint.load_networks(tmp_path / "run")
    assert jax.tree.all(jax.tree.map(np.array_equal, networks["params"], params))
    if fashion:
        return
    out = translate(source=np.zeros((128, 64, 3), np.uint8), target_guidance=np.zeros((128, 64, 18), np.uint8))
    assert {name: image.shape for name, image in out.items()} == dict(fake_target=(128, 64, 3), coarse=(128, 64, 3))
    alone = {name: value for name, value in variables.items() if name.startswith("Pose_AE/")}
    np.savez(tmp_path / "alone.npz", **alone)
    assert import_tensorflow.main(["pg2", str(tmp_path / "alone.npz"), "--output", str(tmp_path / "coarse")]) == 0
    assert json.loads((tmp_path / "coarse" / "config.json").read_text())["options"]["refiner"] is False

    def refused(*arguments):
        assert import_tensorflow.main(["pg2", *arguments]) == 2
        return capsys.readouterr().err.replace(f"{tmp_path}/", "")

    assert refused(str(tmp_path / "all.npz"), "--output", str(tmp_path / "run")) == (
        "error: run holds checkpoints already; choose another folder with --output\n")
    told = refused(str(tmp_path / "all.npz"), "--output", str(tmp_path / "none"), "--variant", "deepfashion")
    assert "fully_connected/weights of shape (1024, 3) becomes (1024, 3), but our params/encoder/code/kernel" in told
    np.savez(tmp_path / "other.npz", **{"Discriminator.1/Discriminator.1.Filters": np.zeros((5, 5, 3, 4))})
    assert refused(str(tmp_path / "other.npz"), "--output", str(tmp_path / "none")) == (
        "error: the variables are not those of PG2: Pose_AE/G/Conv/weights is missing, of its networks there are "
        "['Discriminator.1/Discriminator.1.Filters']\n")
    assert not (tmp_path / "none").exists()


def test_names_are_those_of_the_published_graphs():
    """Literal ones, of either size."""
    places = lambda table: {entry.path.removeprefix("params/"): entry.key for entry in table.entries}
    five, six = (places(pg2.coarse(levels=levels)) for levels in (5, 6))
    assert five["encoder/stem/kernel"] == "Pose_AE/G/Conv/weights"
    assert five["encoder/down_3/bias"] == "Pose_AE/G/Conv_12/biases"
    assert five["expand/kernel"] == "Pose_AE/G/fully_connected_1/weights"
    assert five["head/bias"] == "Pose_AE/G/Conv_29/biases"
    assert (six["up_4/kernel"], six["head/kernel"]) == ("Pose_AE/G/Conv_32/weights", "Pose_AE/G/Conv_35/weights")
    four = places(pg2.refiner(levels=4))
    assert (four["down_2/kernel"], four["head/kernel"]) == ("UAEnoFC/G/Conv_9/weights", "UAEnoFC/G/Conv_20/weights")
    judge = places(pg2.discriminator(layers=5))
    assert judge["conv_4/kernel"] == "Discriminator.5/Discriminator.5.Filters" and "norm_0/scale" not in judge
    assert judge["norm_4/bias"] == "Discriminator.BN5.offset"
    assert judge["head/kernel"] == "Discriminator.Output/Discriminator.Output.W"
