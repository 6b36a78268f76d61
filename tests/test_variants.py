"""Every variant of every experiment is complete: weights of all its terms, optimizers of all its players, sizes that fit."""

import importlib

import pytest

from gganjax import methods, settings

NARROW = dict(width=4, reconstruction_width=4, blocks=1, discriminator_width=4, discriminator_blocks=1)  # of no term
VARIANTS = [(name, variant) for name in methods.names()
            for variant in importlib.import_module(f"experiments.{name}").VARIANTS]


@pytest.mark.parametrize("name, variant", VARIANTS)
def test_variant(name, variant):
    config = importlib.import_module(f"experiments.{name}").get_config(variant).to_dict()
    settings.check_values(config)
    settings.check_optimizers(config)
    narrow = {option: value for option, value in NARROW.items() if option in config["options"]}
    method = methods.load(config["method"], config["options"] | narrow)
    settings.check(config, method)
    assert list(getattr(method, "domains", ())) == list(config["options"].get("domains", ()))
    if hasattr(method, "domains"):
        assert tuple(config["data"]["domains"]) == method.domains
