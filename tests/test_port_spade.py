"""State dicts of the SPADE release: exact both ways, their literal names, and what is read off them."""

import numpy as np
import pytest
from states import filled, there_and_back

from gganjax import port
from gganjax.errors import InputError
from gganjax.layers import Conv, Mode, UpConv
from gganjax.nets.multiscale import MultiScaleDiscriminator
from gganjax.nets.pix2pixhd import Pix2pixHDGenerator
from gganjax.nets.spade import ImageEncoder, SpadeGenerator, SpadeTrunk
from gganjax.port import convert, spade

DISCRIMINATORS = [dict(width=3, layers=3, scales=2, norm=norm, spectral=spectral)
                  for norm in ("instance", "batch", "none") for spectral in (True, False)]


@pytest.mark.parametrize("module, table, inputs, options", [
    (SpadeGenerator(SpadeTrunk(2, "most", hidden=3)), spade.table(upsampling="most"), [(1, 128, 128, 4)], {}),
    (SpadeGenerator(SpadeTrunk(2, latent=5, norm="instance", hidden=3)), spade.table(norm_kind="instance", area=6),
     [(1, 64, 96, 4)], dict(z=(1, 5))),
    *[(MultiScaleDiscriminator(**made), spade.discriminator_table(
        scales=2, layers=3, norm_kind=made["norm"], spectral=made["spectral"]), [(1, 16, 16, 5)], {})
      for made in DISCRIMINATORS],
    (ImageEncoder(3, 2, 16), spade.encoder_table(size=16), [(1, 16, 16, 3)], {}),
    (Pix2pixHDGenerator(2, 2, 3, True), port.pix2pixhd.table(levels=2, blocks=3, spectral=True), [(1, 8, 8, 3)], {}),
])
def test_there_and_back_is_exact(module, table, inputs, options):
    there_and_back(table, filled(module, *inputs, **options))


def test_keys_are_those_of_the_release():
    keys = {entry.path: entry.key for entry in spade.table(upsampling="most").entries}
    assert keys["params/trunk/head/conv_0/kernel"] == "head_0.conv_0.weight_orig"
    assert keys["moving/trunk/middle_1/conv_1/v"] == "G_middle_1.conv_1.weight_v"
    assert keys["params/trunk/up_0/norm_s/shared/bias"] == "up_0.norm_s.mlp_shared.0.bias"
    assert keys["moving/trunk/up_4/norm_1/norm/var"] == "up_4.norm_1.param_free_norm.running_var"
    assert "params/trunk/middle_0/conv_s/kernel" not in keys
    keys = {entry.path: entry.key for entry in spade.discriminator_table(norm_kind="batch").entries}
    assert keys["params/scale_1/conv_3/kernel"] == "discriminator_1.model3.0.0.weight_orig"
    assert keys["params/scale_0/norm_2/scale"] == "discriminator_0.model2.0.1.weight"
    keys = {entry.path: entry.key for entry in port.pix2pixhd.table().entries}
    assert keys["params/block_8/conv_1/kernel"] == "model.19.conv_block.4.0.weight"
    assert (keys["params/up_0/kernel"], keys["params/head/bias"]) == ("model.20.0.weight", "model.29.bias")


@pytest.mark.parametrize("layout, layer", [(convert.CONV, Conv(3, 3)), (convert.UP, UpConv(3, 3))])
def test_vectors_turn_with_their_kernels(layout, layer):
    """v belongs to the matrix (out, in * kh * kw), for a transposed convolution too."""
    random = np.random.default_rng(0)
    matrix, v = random.normal(size=(3, 2, 3, 3)), random.normal(size=18)  # (out, in, kh, kw)
    weight = matrix if layout is convert.CONV else matrix.transpose(1, 0, 2, 3)
    kernel, _, vector, _ = spade.spectral_conv("", "", 3, layout=layout)
    ours = kernel.layout.there(weight).reshape(-1, 3).T @ vector.layout.there(v)
    np.testing.assert_allclose(ours, matrix.reshape(3, -1) @ v)
    assert layer.apply({"params": {"kernel": kernel.layout.there(weight), "bias": np.zeros(3)}},
                       np.ones((1, 4, 4, 2)), *([Mode()] if layout is convert.CONV else [])).shape[-1] == 3


def test_what_builds_a_network_is_read_off():
    for upsampling, norm, latent in (("most", "batch", 0), ("normal", "instance", 5)):
        table = spade.table(upsampling=upsampling, norm_kind=norm, area=6 if latent else 0)
        net = SpadeGenerator(SpadeTrunk(4, upsampling, latent, norm, hidden=3))
        size = (128, 128) if upsampling == "most" else (64, 96)
        state = port.to_torch(table, filled(net, (1, *size, 7), **dict(z=(1, 5)) if latent else {}))
        assert spade.describe(state) == dict(
            inputs=7, width=4, hidden=3, upsampling=upsampling, norm=norm, latent=latent, area=6 if latent else 0)
    for made in DISCRIMINATORS:
        table = spade.discriminator_table(scales=2, layers=3, norm_kind=made["norm"], spectral=made["spectral"])
        state = port.to_torch(table, filled(MultiScaleDiscriminator(**made), (1, 16, 16, 5)))
        assert spade.describe_discriminator(state) == made | dict(inputs=5)
    net = Pix2pixHDGenerator(2, 2, 3)
    state = port.to_torch(port.pix2pixhd.table(levels=2, blocks=3), filled(net, (1, 8, 8, 3)))
    assert port.pix2pixhd.describe(state) == dict(inputs=3, width=2, levels=2, blocks=3, spectral=False)
    state = port.to_torch(spade.encoder_table(size=16), filled(ImageEncoder(3, 2, 16), (1, 16, 16, 3)))
    assert spade.describe_encoder(state) == dict(latent=3, width=2, size=16)
    for describe, name in ((spade.describe, "GauGAN's generator"), (port.pix2pixhd.describe, "Pix2pixHD's generator"),
                           (spade.describe_encoder, "GauGAN's image encoder"),
                           (spade.describe_discriminator, "a multi-scale discriminator")):
        with pytest.raises(InputError, match=f"not that of {name}"):
            describe({"weight": np.zeros(3)})
