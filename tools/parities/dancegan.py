"""DanceGAN's networks and losses beside recorded runs of its baseline MDVS, and beside its equations computed apart."""

import jax
import jax.numpy as jnp
import numpy as np

from gganjax import losses, port
from gganjax.core import Call
from gganjax.layers import Mode
from gganjax.methods import dance_skeleton, dance_video
from gganjax.nets.audio import MusicEncoder
from gganjax.nets.dance import DanceGenerator, SpatialGraphAttention, TemporalGraphAttention
from gganjax.nets.hcn import GlobalDiscriminator, LocalDiscriminator, windows
from gganjax.nets.stgcn import PERCEPTUAL_WEIGHTS, STGCN, adjacency
from parities.common import Fixture, Pair

TEST = Mode(norm="running", dropout=False, keep=False)


def poses(rows) -> np.ndarray:
    """Returns coordinates [..., 2V] as skeletons [..., V, 2]."""
    return rows.reshape(*rows.shape[:-1], -1, 2)


def flat(skeletons):
    """Returns skeletons [..., V, 2] as coordinates [..., 2V]."""
    return skeletons.reshape(*skeletons.shape[:-2], -1)


def inside(module, variables, *inputs, **options) -> tuple:
    """Runs a network at test time; returns its output and a function from a module's path to that module's output."""
    out, kept = module.apply(variables, *inputs, TEST, capture_intermediates=True, mutable=["intermediates"], **options)

    def of(path):
        found = kept["intermediates"]
        for name in path.split("/"):
            found = found[name]
        return found["__call__"][0]

    return out, of


def answers(fixture: Fixture, ours: dict) -> list[Pair]:
    """Pairs every recorded output with ours of that name."""
    return [Pair(name, ours.get(name, np.nan), recorded) for name, recorded in fixture.group("out/").items()]


def audio_encoder(fixture: Fixture) -> list[Pair]:
    """Compares the encoder of music at test time, and its codes and statistics in training."""
    given, audio = fixture.arguments, fixture.group("in/")["audio"]
    module, table = MusicEncoder(given["code_size"], given["first_maps"]), port.dance.encoder()
    variables = port.to_flax(table, fixture.group("w/"), port.shapes(module, audio.shape))

    def run(variables):
        hidden, of = inside(module, variables, audio)
        _, moved = module.apply(variables, audio, capture_intermediates=True, mutable=["intermediates", "moving"])
        code = moved["intermediates"]["pieces"]["__call__"][0]
        return {"code": of("pieces"), "gru": of("gru_1"), "hidden": hidden, "code_train": code}, moved["moving"]

    ours, moving = jax.jit(run)(variables)
    after = port.to_torch(table, {"moving": moving})
    return answers(fixture, ours | {f"after_train/{key}": value for key, value in after.items()})


def generator(fixture: Fixture) -> list[Pair]:
    """Compares the baseline's generator, without graph attention."""
    given, inputs = fixture.arguments, fixture.group("in/")
    module = DanceGenerator(given["joints"], "mdvs", False, False, width=given["audio_width"], first=4,
                            head_width=given["linear_hidden"])
    audio, noise = inputs["audio"], inputs["noise"]
    variables = port.to_flax(port.dance.generator(), fixture.group("w/"), port.shapes(module, audio.shape, noise.shape))

    def run(variables):
        made, of = inside(module, variables, audio, noise)
        return {"hidden": of("music"), "layer0": of("head/stem"), "block1": of("head/block_0"),
                "block3": of("head/block_2"), "pose": flat(made)}

    return answers(fixture, jax.jit(run)(variables))


def local_discriminator(fixture: Fixture) -> list[Pair]:
    """Compares the windows and their probabilities."""
    dances, module = poses(fixture.group("in/")["pose"]), LocalDiscriminator(fixture.arguments["channels"])
    table, state = port.dance.local_discriminator(), fixture.group("w/")
    variables = port.to_flax(table, state, port.shapes(module, dances.shape))
    judged = jax.jit(lambda v: jax.nn.sigmoid(module.apply(v, dances, TEST)))(variables)
    return answers(fixture, {"prob": judged, "windows": flat(windows(dances))})


def global_discriminator(fixture: Fixture) -> list[Pair]:
    """Compares probabilities with and without the baseline's mix of samples, features, and the terms made of them."""
    given, inputs = fixture.arguments, fixture.group("in/")
    audio, real, fake = inputs["audio"], poses(inputs["pose"]), poses(inputs["fake"])
    module = GlobalDiscriminator(given["hcn_channels"], given["audio_width"], 4)
    bug = module.clone(view_bug=True)
    table, state = port.dance.global_discriminator(), fixture.group("w/")
    variables = port.to_flax(table, state, port.shapes(module, real.shape, audio.shape))

    def run(variables):
        ours = {}
        for net, name, heard in ((bug, "prob", "attended_as_reference"), (module, "prob_without_view_bug", "attended")):
            logits, of = inside(net, variables, real, audio)
            ours |= {name: jax.nn.sigmoid(logits), heard: of("attention")[:, None]}
        stages = [module.apply(variables, x, audio, TEST, features=True) for x in (real, fake)]
        wanted, made = (dance_skeleton.matched(one, reference_features=True) for one in stages)
        terms = [losses.pixel(x, y) for x, y in zip(made, wanted, strict=True)]
        ours |= {f"feat{i}": x for i, x in enumerate(wanted) if i in (0, 2, 4, 5)}
        judge = dance_skeleton.probability(lambda x: bug.apply(variables, x, audio, TEST))
        penalty = losses.gradient_penalty(judge, real, fake, inputs["gp_alpha"][..., None])
        return ours | {"pose_code": of("dense_1"), "audio_hidden": of("music"), "feature_match_terms": jnp.stack(terms),
                       "feature_match": dance_skeleton.feature_matching(made, wanted), "gp_as_reference": penalty}

    return answers(fixture, jax.jit(run)(variables))


def stgcn(fixture: Fixture) -> list[Pair]:
    """Compares the class logits, the blocks' outputs and the perceptual loss, and the adjacency."""
    given, inputs = fixture.arguments, fixture.group("in/")
    real, fake = poses(inputs["pose"]), poses(inputs["fake"])
    module = STGCN(given["num_class"], given["base_channels"])
    state = fixture.group("w/")
    variables = port.to_flax(port.dance.stgcn(), state, port.shapes(module, real.shape))

    def run(variables):
        wanted, made = (module.apply(variables, x, TEST, blocks=True) for x in (real, fake))
        terms = [weight * losses.pixel(x, y) for weight, x, y in zip(PERCEPTUAL_WEIGHTS, made, wanted, strict=True)]
        return {"logits": module.apply(variables, real, TEST), "loss_terms": jnp.stack(terms),
                "loss": losses.perceptual(made, wanted, PERCEPTUAL_WEIGHTS),
                **{f"feat{i}": wanted[i] for i in (0, 3, 4, 7, 9)}}

    return [*answers(fixture, jax.jit(run)(variables)), Pair("A", adjacency(), state["A"])]


def graph_attention(fixture: Fixture) -> list[Pair]:
    """Compares both attentions, their maps and their sum, for both axes of the convolutions."""
    x, state, ours = fixture.group("in/")["initial_joints"], fixture.group("w/"), {}

    def run(module, table, state):
        variables = port.to_flax(table, state, port.shapes(module, x.shape))
        out, kept = module.apply(variables, x, mutable=["intermediates"])
        return out, kept["intermediates"]["map"][0]

    ours["temporal"], ours["temporal_map"] = run(
        TemporalGraphAttention(), port.dance.temporal_attention(), {"beta": state["beta"]})
    for axis in ("frame", "joint"):
        part = fixture.group(f"w/{axis}.") | {"alpha": state["alpha"]}
        made, shares = run(SpatialGraphAttention(axis), port.dance.spatial_attention(), part)
        ours |= {f"spatial_{axis}": made, f"spatial_map_{axis}": shares, f"fused_{axis}": made + ours["temporal"]}
    return answers(fixture, ours)


def stage2_losses(fixture: Fixture) -> list[Pair]:
    """Compares what stage II generates in its three ways, and its three L1 terms, with the recorded toy generator."""
    inputs, state = fixture.group("in/"), fixture.group("w/")
    kernel, bias = state["toy.weight"][:, :, 0, 0].T, state["toy.bias"]
    method = dance_video.build(frames=fixture.arguments["frames"], width=2, blocks=1, discriminator_width=2)

    class Recorded(Call):
        """Answers for the generator with the recorded one."""

        def together(self, net, *calls, key=None):
            return [jnp.tanh(x @ kernel + bias) for (x,) in calls]

    call = Recorded(method, {}, {})
    batch = {"source": inputs["cond"], "skeletons": inputs["skeletons"][None], "frames": inputs["real"][None]}
    out = method.rollout(jax.random.key(0), call, batch)
    terms = dance_video.pixel_terms(out, batch)
    ours = {"baseline": out["fake_frames"][0], "forward": out["forward"][0], "backward": out["backward"][0]}
    return answers(fixture, ours | {"l1": terms["pixel"], "fsr": terms["forward"], "bsr": terms["backward"]})
