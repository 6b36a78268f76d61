"""Unpaired AsymmetricGAN: its losses by hand, sharing, order, pool, and every row of its tables."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny import begun, count, judged

from experiments import asymmetricgan_unpaired as experiment
from gganjax import core, losses, methods
from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.step import train_step

SMALL = dict(domains=("a", "b", "c"), width=4, blocks=1, discriminator_width=4, discriminator_layers=2,
             similarity_scales=1)


def pictures(rows=2, size=12):
    random, label = np.random.default_rng(0), np.eye(3, dtype=np.float32)
    return {"source": random.uniform(-1, 1, (rows, size, size, 3)).astype(np.float32),
            "source_domain": label[[0, 1]], "target_domain": label[[2, 2]]}


def test_terms_by_hand():
    """The paper's losses from the networks' outputs alone, each the mean of two discriminators."""
    tiny = dict(discriminators=2, pool_size=0, blocks=0, reconstruction_architecture=1)
    method, batch = methods.load("asymmetricgan_unpaired", SMALL | tiny), pictures()
    _, state = begun(method, batch)
    x, z, wanted = (batch[name] for name in ("source", "source_domain", "target_domain"))

    @jax.jit
    def outputs(params, moving):
        def apply(net, *inputs):
            return method.nets[net].apply({"params": params[net], "moving": moving.get(net, {})}, *inputs, Mode(keep=False))

        fake = apply("translator", x, wanted)
        seen = [(apply(net, x), apply(net, fake)) for net in ("discriminator_1", "discriminator_2")]
        back = apply("reconstructor", fake, z)
        return back, apply("reconstructor", x, z), losses.ms_ssim(back, jnp.asarray(x), scales=1), seen

    back, same, similarity, seen = outputs(state.params, state.moving)
    mean = lambda of: np.mean([of(real, fake) for real, fake in seen])
    entropy = lambda logits, label: -np.log(np.asarray(jax.nn.softmax(logits))[label == 1]).mean()
    cycle = np.abs(np.float64(back) - x).mean(axis=(0, 1, 2)).sum()  # of the colors
    expected = {
        "discriminators/real": mean(lambda real, fake: np.mean(np.square(real[0] - 1))),
        "discriminators/fake": mean(lambda real, fake: np.mean(np.square(fake[0]))),
        "discriminators/domain": mean(lambda real, fake: entropy(real[1], z)),
        "translator/gan": mean(lambda real, fake: np.mean(np.square(fake[0] - 1))),
        "translator/domain": mean(lambda real, fake: entropy(fake[1], wanted)),
        "translator/cycle": cycle,
        "translator/similarity": similarity,
        "reconstructor/cycle": cycle,
        "reconstructor/similarity": similarity,
        "reconstructor/identity": np.abs(np.float64(same) - x).mean(),
    }
    chex.assert_trees_all_close(judged(method, state, batch)[0], expected, rtol=1e-4)


def test_fully_shared_it_is_stargan():
    """With the released recipe less SSIM: equal parameters, losses, gradients and statistics after a whole step."""
    small = {name: value for name, value in SMALL.items() if name != "similarity_scales"} | dict(
        target_labels="permuted", classification="softmax", blocks=0)
    shared = dict(sharing="full", update_order="joint", adversarial="wasserstein", similarity="none", color_cycle=False,
                  identity=False, pool_size=0)
    weights = dict(discriminator=dict(real=1.0, fake=1.0, domain=1.0, penalty=10.0),
                   generator=dict(gan=1.0, domain=1.0, cycle=10.0))
    runs = []
    for name, options, plural in (("stargan", dict(n_critic=1), ""), ("asymmetricgan_unpaired", shared, "s")):
        method = methods.load(name, small | options)
        named = {f"{player}{plural}": terms for player, terms in weights.items()}
        runs.append((method, named, *begun(method, pictures(), rate=1e-3)))
    first = runs[0][-1]
    chex.assert_trees_all_equal_shapes(*[state.params for *_, state in runs])

    @jax.jit
    def steps(params, batch):
        """Both steps, compiled together, which what they have in common shortens."""
        found = []
        for method, named, optimizers, state in runs:
            after, terms = train_step(method, optimizers, named, state.replace(params=params), batch,
                                      acting=tuple(method.players))
            found.append(({key.replace("s/", "/"): value for key, value in terms.items()}, after.params, after.moving))
        return found

    (terms, params, moving), other = steps(first.params, pictures())
    # One step of plain gradient descent: the difference of the parameters is the gradient.
    gradients = lambda after: jax.tree.map(lambda old, new: (old - new) / 1e-3, first.params, after)
    chex.assert_trees_all_close((terms, gradients(params), moving), (other[0], gradients(other[1]), other[2]),
                                rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sharing", ["none", "partial", "full"])
def test_sharing_tells_which_networks_an_image_passes(sharing):
    order = "sequential" if sharing == "none" else "joint"
    method = methods.load("asymmetricgan_unpaired", SMALL | dict(sharing=sharing, update_order=order))
    passed = {}
    for half in ("translation", "reconstruction"):
        called = []
        call = type("Call", (), {"together": staticmethod(lambda net, *inputs: called.append(net) or [x[0] for x in inputs])})
        method.run(call, half, (1, 2))
        passed[half] = called
    common = set(passed["translation"]) & set(passed["reconstruction"])
    assert common == {"none": set(), "partial": {"encoder"}, "full": {"generator"}}[sharing]
    assert set(method.nets) == {*passed["translation"], *passed["reconstruction"], "discriminator"}


def test_updates_in_turn_or_at_once():
    """In turn, every player is judged by those before it: the reconstructor by a rollout of the updated translator."""
    players = methods.load("asymmetricgan_unpaired", SMALL | dict(n_critic=3)).players
    assert list(players) == ["discriminators", "translator", "reconstructor"]
    assert [player.every for player in players.values()] == [1, 3, 3]
    assert [player.fresh for player in players.values()] == [False, False, True]
    players = methods.load("asymmetricgan_unpaired", SMALL | dict(update_order="joint")).players
    assert {name: player.nets for name, player in players.items()} == {
        "discriminators": ("discriminator",), "generators": ("translator", "reconstructor")}


def test_the_discriminator_sees_remembered_translations():
    method, batch = methods.load("asymmetricgan_unpaired", SMALL | dict(pool_size=2)), pictures()
    assert method.pools == {"fakes": 2}
    _, state = begun(method, batch)
    call = core.Call(method, state.params, state.moving, pools=state.pools, key=jax.random.key(0))
    seen = []
    call.past = lambda pool, x: seen.append((pool, x)) or jnp.zeros_like(x)
    fake = jnp.asarray(batch["source"])[::-1]
    terms = method.discriminator_loss(jax.random.key(0), call, batch, {"fake_target": fake})
    (pool, remembered), = seen
    assert pool == "fakes" and remembered is fake
    scores, _ = call("discriminator", jnp.zeros_like(fake))
    np.testing.assert_allclose(terms["fake"], jnp.square(scores).mean(), rtol=1e-5)


@pytest.mark.parametrize("options, sentence", [
    (dict(sharing="half"), "options.sharing is 'half'"),
    (dict(sharing="full"), "options.sharing 'full' needs options.update_order 'joint'"),
    (dict(sharing="partial", update_order="joint", reconstruction_architecture=2), "found 'joint', 2 and 1 beside 1"),
    (dict(sharing="partial", update_order="joint", reconstruction_blocks=2), "found 'joint', 3 and 2 beside 1"),
    (dict(reconstruction_architecture=4), "options.reconstruction_architecture is 4"),
    (dict(adversarial="vanilla"), "options.adversarial is 'vanilla'"),
    (dict(similarity="psnr"), "options.similarity is 'psnr'"),
    (dict(discriminators=3), "options.discriminators is 3"),
    (dict(pool_size=-1), "options.pool_size must be at least 0, found -1"),
    (dict(similarity_scales=0), "options.similarity_scales must be at least 1, found 0"),
])
def test_wrong_options(options, sentence):
    with pytest.raises(InputError, match=sentence):
        methods.load("asymmetricgan_unpaired", SMALL | options)


def test_too_many_scales_for_the_pictures_are_told_before_training():
    method = methods.load("asymmetricgan_unpaired", SMALL | dict(similarity_scales=2))
    with pytest.raises(InputError, match="MS-SSIM of 2 scales compares pictures of at least 21x21 pixels, found 12x12"):
        core.term_names(method, pictures())


def opened(variant, **options):
    """A variant's configuration, its method with these options changed, and the shapes of a batch."""
    config = experiment.get_config(variant).to_dict()
    method = methods.load(config["method"], config["options"] | options)
    assert method.domains == tuple(config["data"]["domains"])
    sizes = dict(B=1, H=config["data"]["crop_size"], W=config["data"]["crop_size"])
    return config, method, {name: jax.ShapeDtypeStruct([sizes.get(axis, axis) for axis in field.shape], jnp.float32)
                            for name, field in method.fields.items()}


def counted(variant):
    """Parameters of every network, the discriminator's for the size of the variant's pictures."""
    config, method, batch = opened(variant)
    seen = {"discriminator": (batch["source"].shape,), "decoder": ((1, 16, 16, 4 * config["options"]["width"]),)}
    usual = (1, 64, 64, 3), batch["source_domain"].shape
    return config, {net: count(module, *seen.get(net.split("_")[-1], usual)) for net, module in method.nets.items()}


# Reconstruction generators of Table VI, and all networks of Table VIII (pictures of 128x128).
@pytest.mark.parametrize("variant, net, count", [("s1", "reconstructor", 2_976), ("s2", "reconstructor", 1_352_768),
                                                 ("s3", "reconstructor", 8_436_800)])
def test_table_vi(variant, net, count):
    config, counts = counted(variant)
    assert counts[net] == count and counts["translator"] == 8_436_800
    full = experiment.get_config("").to_dict()
    assert {key for key in full["options"] if full["options"][key] != config["options"][key]} <= {"reconstruction_architecture"}


@pytest.mark.parametrize("variant, count", [("sharing_full", 53_215_232), ("sharing_partial", 53_880_384),
                                            ("sharing_none", 61_652_032)])
def test_table_viii(variant, count):
    _, counts = counted(variant)
    assert sum(counts.values()) == count


FULL = {"translator": {"gan": 1.0, "domain": 1.0, "cycle": 10.0, "similarity": 1.0},
        "reconstructor": {"cycle": 10.0, "similarity": 1.0, "identity": 0.5}}
LEFT_OUT = {"all": "", "all_i": "identity", "all_s_c": "similarity", "all_s_c_i": "identity similarity", "all_d": "",
            "all_d_s": "similarity", "all_d_c": ""}


@pytest.mark.parametrize("row", sorted(experiment.ROWS))
def test_table_vii(row):
    config = experiment.get_config(row)
    for player, terms in FULL.items():
        expected = {term: weight for term, weight in terms.items() if term not in LEFT_OUT[row].split()}
        assert config.weights[player].to_dict() == expected
    assert config.options.color_cycle == ("_c" not in row)
    assert config.options.discriminators == (1 if "_d" in row else 2)


def test_names_of_the_data_sets_and_their_numbers_of_domains():
    """Table I."""
    domains = {"facades": 2, "ar_face": 4, "bu3dfe": 7, "alps": 4, "rafd": 8, "collection_style": 5, "kaokore": 4}
    for name, number in domains.items():
        config = experiment.get_config(name)
        assert len(config.options.domains) == number and config.data.folder == f"datasets/{name}"


def test_published_numbers():
    config = experiment.get_config("")
    assert (config.batch_size, config.epochs, config.options.pool_size, config.options.n_critic) == (1, 200, 50, 1)
    released = experiment.get_config("released")
    assert (released.batch_size, released.steps, released.options.n_critic, released.options.pool_size) == (16, 200_000, 5, 0)
    assert released.weights.to_dict() == dict(
        discriminators=dict(real=1.0, fake=1.0, domain=1.0, penalty=10.0),
        generators=dict(gan=1.0, domain=1.0, cycle=10.0, similarity=1.0))
