"""PG2's published form: what each row of its table changes, exact counts, numbers of paper and code."""

import pytest
from tiny import count

from experiments import pg2
from gganjax.nets import pg2 as nets

ROWS = {
    "ce_l1": dict(pose="coordinates", mask_loss=False, refiner=False, discriminator="none"),
    "hme_l1": dict(pose="heatmaps", mask_loss=False, refiner=False, discriminator="none"),
    "l1": dict(mask_loss=False, refiner=False, discriminator="none"),
    "pose_mask": dict(refiner=False, discriminator="none"),
    "g1_d": dict(refiner=False),
    "g1_g2_d": {},
}


@pytest.mark.parametrize("row", sorted(ROWS))
def test_row_of_table_1(row):
    """What each row is made of, on both sets: options, players, terms, steps and published numbers."""
    for name, lengths, weight in (("", (22_000, 36_000), 10.0), ("deepfashion_", (30_000, 50_000), 50.0)):
        config, whole = (pg2.get_config(f"table1_{name}{one}") for one in (row, "g1_g2_d"))
        full = whole.options.to_dict()
        differs = {name: value for name, value in config.options.to_dict().items() if value != full[name]}
        assert differs == ROWS[row]
        lonely = config.options.discriminator == "none"
        distances = {"mask" if config.options.mask_loss else "pixel": 1.0 if lonely else weight}
        assert config.steps == lengths[not lonely] and config.options.coarse_steps == lengths[0]
        weights = config.weights.to_dict()
        judge = dict(discriminator=dict(real=1.0, fake=1.0))
        if row == "g1_g2_d":
            assert weights == dict(coarse=dict(mask=1.0), refiner=distances | dict(gan=1.0)) | judge
        else:
            assert weights == dict(coarse=distances | ({} if lonely else dict(gan=1.0))) | ({} if lonely else judge)
        published = config.evaluate.published["values"]
        assert set(published) < set(config.evaluate.metrics) and ("mask_ssim_pg2" in published) == (name == "")
    assert pg2.get_config("table1_hme_l1").evaluate.published["values"].to_dict() == dict(
        ssim_pg2=0.294, inception_score=3.171, mask_ssim_pg2=0.802, mask_inception_score=2.508)


@pytest.mark.parametrize("form, expected", [("coordinates", 71_044_163), ("heatmaps", 94_492_163)])
def test_sizes_of_the_embeddings(form, expected):
    """From G1's 70,795,075: 18 maps less in its stem; 64 numbers more into 8 x 4 x 128; two layers or an encoder."""
    stem, wider = 18 * 9 * 128, 64 * 8 * 4 * 128
    layers = (54 * 64 + 64) + (64 * 64 + 64)
    encoder = (stem + 128) + 16_224_000 + 5_900_032 + 1_310_784
    assert 70_795_075 - stem + wider + dict(coordinates=layers, heatmaps=encoder)[form] == expected
    pose = dict(coordinates=(1, 54), heatmaps=(1, 128, 64, 18))[form]
    assert count(nets.CoarseGenerator(pose=form), (1, 128, 64, 3), pose) == expected


def test_numbers_of_the_paper_and_of_the_code():
    for variant, sizes in dict(
        market=(16, 36_000, 22_000, 128, 64, 5, 4, False), deepfashion=(8, 50_000, 30_000, 256, 256, 6, 5, True),
        released_market=(16, 60_000, 22_000, 128, 64, 5, 4, False),
        released_deepfashion=(1, 80_000, 22_000, 256, 256, 6, 5, True)).items():
        config = pg2.get_config(variant)
        data, options = config.data, config.options
        assert (config.batch_size, config.steps, options.coarse_steps, data.crop_size, data.crop_width, options.levels,
                options.discriminator_layers, options.top_skip) == sizes
        assert (data.load_size, data.load_width) == sizes[3:5]
        assert (data.guidance, data.masks, data.line_width, config.evaluate.masks) == ("disks", "pg2", 0, "pg2")
        for one in config.optimizers.values():
            assert (one.learning_rate, one.b1, one.b2, one.schedule.name) == (2e-5, 0.5, 0.999, "constant")
    judged_ = dict(real=0.5, source=0.25, fake=0.25)
    market, fashion = (pg2.get_config(f"released_{name}") for name in ("market", "deepfashion"))
    assert market.weights.discriminator.to_dict() == fashion.weights.discriminator.to_dict() == judged_
    assert market.weights.refiner.to_dict() == dict(gan=1.0, mask=10.0)
    assert fashion.weights.refiner.to_dict() == dict(gan=0.5, gan_source=0.5, mask=50.0)
    assert market.options.signed_maps and fashion.options.signed_maps
