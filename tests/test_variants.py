"""Every variant of every experiment is complete: weights of all its terms, optimizers of all its players, sizes that fit."""

import importlib

import pytest

from gganjax import core, methods, settings

NARROW = dict(width=4, reconstruction_width=4, blocks=1, discriminator_width=4, discriminator_blocks=1)  # of no term
VARIANTS = [(name, variant) for name in methods.names()
            for variant in importlib.import_module(f"experiments.{name}").VARIANTS]


@pytest.fixture(scope="module", autouse=True)
def traced_once():
    """Variants that differ in their data alone make one method of one size, whose terms are traced once."""
    plain, known = core.term_names, {}

    def term_names(method, batch):
        key = method.built, *((field, x.shape) for field, x in batch.items())
        if key not in known:
            known[key] = plain(method, batch)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "term_names", term_names)
        yield


@pytest.mark.parametrize("name, variant", VARIANTS)
def test_variant(name, variant):
    config = importlib.import_module(f"experiments.{name}").get_config(variant).to_dict()
    settings.check_values(config)
    settings.check_optimizers(config)
    narrow = {option: value for option, value in NARROW.items() if option in config["options"]}
    method = methods.load(config["method"], config["options"] | narrow)
    method.built = f"{config['method']} {sorted((config['options'] | narrow).items())}"
    settings.check(config, method)
    assert list(getattr(method, "domains", ())) == list(config["options"].get("domains", ()))
    if hasattr(method, "domains"):
        assert tuple(config["data"]["domains"]) == method.domains
