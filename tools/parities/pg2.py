"""PG2's published graphs, driven through the engine: images, logits, losses and gradients of both stages."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gganjax import core, methods, port
from gganjax.port import pg2
from gganjax.step import train_step
from parities import steps
from parities.common import Fixture, Pair

FIELDS = {"x": "source", "x_target": "target", "pose_target": "target_guidance", "mask_target": "target_mask"}
OWNERS = {"g_loss1": "coarse", "g_loss2": "refiner", "d_loss": "discriminator"}  # whose gradients are recorded
LOGITS = {"real": "d_logits_real", "source": "d_logits_x", "coarse": "d_logits_g1", "fake": "d_logits_g2"}
DISCRIMINATOR = {"real": 0.5, "source": 0.25, "fake": 0.25}
ADVERSARIAL = {"triplet_market": {"gan": 1.0}, "triplet_df256": {"gan": 0.5, "gan_source": 0.5}}
# A bias gradient is a sum in which terms cancel, to 0 in front of a batch norm: its layer's kernel sets the scale.
KERNELS = {"biases": "weights", "Biases": "Filters", "b": "W"}


def step(fixture: Fixture) -> list[Pair]:
    """Compares the graph for Market-1501 or that for DeepFashion; which it is stands in the weights."""
    parts = pg2.split(fixture.group("w/"))
    options = pg2.describe(parts)
    method = methods.load("pg2", options | {"signed_maps": True})
    batch = {FIELDS[name]: value for name, value in fixture.group("in/").items()}
    batch["target_guidance"] = (batch["target_guidance"] + 1) / 2  # ours come from 0 to 1, and the method signs them
    shapes, tables = core.shapes(method, batch), pg2.tables(options)
    variables = {net: {"moving": {}} | port.to_flax(tables[net], part, {"params": shapes[net]})
                 for net, part in parts.items()}
    adversarial = ADVERSARIAL[options["discriminator"]]
    weights = {"coarse": {"mask": 1.0}, "refiner": adversarial | {"mask": fixture.arguments["lambda_l1"]},
               "discriminator": DISCRIMINATOR}
    optimizers = dict.fromkeys(method.players, optax.chain(steps.record(), optax.sgd(0.0)))
    state = steps.first_state(method, optimizers, variables)

    def run(state, batch):
        # Stages part the players; here they act at once, as the recorded losses were all taken from one state.
        after, terms = train_step(method, optimizers, weights, state, batch, acting=tuple(method.players))
        call = core.Call(method, state.params, state.moving)
        out = method.rollout(jax.random.key(0), call, batch)
        seen = jnp.concatenate([out["coarse"], batch["source"]], axis=-1)
        found = {"G1": out["coarse"], "G2": out["fine"], "diff_map": call("refiner", seen)}
        judged = method.judged(call, batch, out)
        return after, terms, found | {LOGITS[kind]: logits for kind, logits in judged.items()}

    after, terms, found = jax.jit(run, compiler_options={"xla_backend_optimization_level": 0})(state, batch)
    found |= {
        "g_loss1": terms["coarse/total"],
        "g2_adv": sum(weight * terms[f"refiner/{term}"] for term, weight in adversarial.items()),
        "g2_l1": terms["refiner/mask"],
        "g_loss2": terms["refiner/total"],
        "d_loss": terms["discriminator/total"],
    }
    return steps.answers(fixture, found) + gradients(fixture, tables, jax.device_get(after))


def gradients(fixture: Fixture, tables: dict, after: core.State) -> list[Pair]:
    """Pairs the recorded gradients of each loss, and the norms that stand for the large ones, with ours."""
    pairs = []
    for loss, net in OWNERS.items():
        ours = port.to_torch(tables[net], {"params": after.opt[net][0].gradients[net]})
        for key, value in fixture.group(f"out/grad/{loss}/").items():
            last = re.split(r"[./]", key)[-1]
            scale = float(np.abs(ours[key.removesuffix(last) + KERNELS[last]]).max()) if last in KERNELS else 0.0
            pairs.append(Pair(f"grad/{loss}/{key}", ours[key], value, scale=scale))
        for key, value in fixture.group(f"out/gradnorm/{loss}/").items():
            pairs.append(Pair(f"gradnorm/{loss}/{key}", np.linalg.norm(ours[key]), value))
    return pairs
