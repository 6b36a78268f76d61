"""Throw-away methods, eight tiny pairs and a configuration, with which a run takes a second.

As a script it trains one run folder: `python tests/toys.py KIND WORKDIR STEPS [coordinator processes process]`.
"""

import contextlib
import sys
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache as compilation_cache_module

from experiments import defaults
from gganjax import core, losses
from gganjax.core import Field, Player
from gganjax.data.source import Panel, Source
from gganjax.layers import TRAIN

KINDS = ("plain", "pool", "stages", "ratio", "logarithm")
SIZE = 8
ROOT = Path(__file__).resolve().parents[1]


class Painter(nn.Module):
    """One convolution after dropout and after the subtraction of a running mean."""

    outputs: int
    dropout: float

    @nn.compact
    def __call__(self, x, mode=TRAIN):
        mean = self.variable("moving", "mean", jnp.zeros, (x.shape[-1],))
        if mode.norm == "batch" and mode.keep:
            now = x.mean((0, 1, 2))
            now = now if mode.axis is None else jax.lax.pmean(now, mode.axis)
            mean.value = 0.9 * mean.value + 0.1 * now
        x = nn.Dropout(self.dropout, deterministic=not mode.dropout)(x - mean.value)
        return jnp.tanh(nn.Conv(self.outputs, (3, 3))(x))


class Toy:
    """A generator and a critic; `kind` says what is special about it.

    "plain": nothing. "pool": the critic judges remembered fakes, too. "stages": a second generator takes over at
    step 4. "ratio": the generator moves on every third step, the critic twice a step. "logarithm": the generator's
    pixel term is not finite as soon as a white target comes up.
    """

    inputs = ("source", "target_guidance")
    stride = 4

    def __init__(self, kind: str, *, dropout: float = 0.5):
        self.kind, self.name, self.frozen = kind, f"toy_{kind}", {}
        pictures = ("source", "target", "source_guidance", "target_guidance")
        self.fields = {name: Field(("B", "H", "W", 3)) for name in pictures}
        self.nets = dict(generator=Painter(3, dropout), critic=Painter(1, dropout))
        self.pools = dict(fakes=3) if kind == "pool" else {}
        every, repeat = (3, 2) if kind == "ratio" else (1, 1)
        last = 4 if kind == "stages" else None
        self.players = dict(
            generator=Player(("generator",), self.generator_loss, last=last, every=every),
            critic=Player(("critic",), self.critic_loss, repeat=repeat))
        if kind == "stages":
            self.nets["refiner"] = Painter(3, dropout)
            self.players["refiner"] = Player(("refiner",), self.refiner_loss, first=4)

    def rollout(self, key, call, batch):
        fake = call("generator", jnp.concatenate([batch["source"], batch["target_guidance"]], -1), key=key)
        return dict(fake=fake, fine=call("refiner", fake, key=key)) if self.kind == "stages" else dict(fake=fake)

    def generator_loss(self, key, call, batch, out):
        if self.kind == "logarithm":
            pixel = -jnp.log(1 - batch["target"].mean((1, 2, 3))).mean() + losses.pixel(out["fake"], batch["target"])
        else:
            pixel = losses.pixel(out["fake"], batch["target"])
        return dict(gan=losses.adversarial(call("critic", out["fake"], key=key), True), pixel=pixel)

    def refiner_loss(self, key, call, batch, out):
        return dict(pixel=losses.pixel(out["fine"], batch["target"]))

    def critic_loss(self, key, call, batch, out):
        fake = jax.lax.stop_gradient(out["fake"])
        fake = call.past("fakes", fake) if self.kind == "pool" else fake
        real = losses.adversarial(call("critic", batch["target"], key=jax.random.fold_in(key, 1)), True)
        return dict(fake=losses.adversarial(call("critic", fake, key=key), False), real=real)

    def sample(self, key, call, batch):
        return dict(fake_target=self.rollout(key, call, batch)["fake"])

    def panels(self, batch, out):
        return dict(source=batch["source"], translated=out["fake_target"], target=batch["target"])


class Domains(Toy):
    """The plain toy with a label in place of guidance: what a method of many domains has."""

    inputs = ("source", "target_domain")

    def __init__(self, domains, *, dropout: float = 0.0):
        super().__init__("plain", dropout=dropout)
        self.name, self.domains = "toy_domains", tuple(domains)
        self.fields = {name: Field(("B", "H", "W", 3)) for name in ("source", "target")}
        self.fields |= {name: Field(("B", len(domains)), 0.0, 1.0) for name in ("source_domain", "target_domain")}

    def rollout(self, key, call, batch):
        label = jnp.broadcast_to(batch["target_domain"][:, None, None], (*batch["source"].shape[:3], len(self.domains)))
        return dict(fake=call("generator", jnp.concatenate([batch["source"], label], -1), key=key))

    def overview(self, key, call, batch):
        ones = jnp.eye(len(self.domains))
        return {f"to {name}": self.sample(key, call, batch | dict(target_domain=jnp.tile(one, (len(batch["source"]), 1))))[
            "fake_target"] for name, one in zip(self.domains, ones)}

    def panels(self, batch, out):
        return dict(source=batch["source"]) | out


class Guides(Toy):
    """The plain toy with maps of 18 joints and masks, which also returns the maps that it sees in its result."""

    def __init__(self, *, dropout: float = 0.0):
        super().__init__("plain", dropout=dropout)
        self.name = "toy_guides"
        self.nets["reader"] = Painter(18, dropout)
        self.fields = {name: Field(("B", "H", "W", 3)) for name in ("source", "target")}
        self.fields |= dict(target_guidance=Field(("B", "H", "W", 18)), target_mask=Field(("B", "H", "W", 1), 0.0, 1.0))
        self.players["reader"] = Player(("reader",), self.reader_loss)

    def rollout(self, key, call, batch):
        fake = super().rollout(key, call, batch)["fake"]
        return dict(fake=fake, guidance=call("reader", fake, key=key))

    def generator_loss(self, key, call, batch, out):
        terms = super().generator_loss(key, call, batch, out)
        return terms | dict(mask=(batch["target_mask"] * jnp.abs(out["fake"] - batch["target"])).mean())

    def reader_loss(self, key, call, batch, out):
        return dict(pixel=losses.pixel(out["guidance"], batch["target_guidance"]))

    def sample(self, key, call, batch):
        out = self.rollout(key, call, batch)
        return dict(fake_target=out["fake"], fake_target_guidance=out["guidance"])

    def panels(self, batch, out):
        return dict(source=batch["source"], guidance=batch["target_guidance"], translated=out["fake_target"],
                    read=out["fake_target_guidance"], target=batch["target"])


def source(*, white: int | None = None, count: int = 8) -> Source:
    """Pairs of noise; the target of pair `white` is white."""
    def load(index):
        pixels = np.random.default_rng(index).integers(0, 200, (4, SIZE + 2, SIZE + 2, 3), np.uint8)
        if index == white:
            pixels[1] = 255
        return Panel(pixels[0], guidance=pixels[2]), Panel(pixels[1], guidance=pixels[3])

    return Source([f"pair{index}" for index in range(count)], load, {}, size=SIZE + 2, mirrored=False)


def config(kind: str, *, steps: int, optimizer: str = "adam"):
    """Configuration of a toy run: a record and a checkpoint on every step."""
    made = defaults.get_config()
    made.method = f"toy_{kind}"
    made.batch_size, made.steps = 4, steps
    made.data.update(load_size=SIZE + 2, crop_size=SIZE, line_width=1.0)
    made.weights = dict(generator=dict(gan=1.0, pixel=10.0), critic=dict(fake=0.5, real=0.5))
    if kind == "stages":
        made.weights.refiner = dict(pixel=1.0)
    schedule = dict(name="constant")
    one = dict(name=optimizer, learning_rate=0.01, b1=0.5, b2=0.999, schedule=schedule)
    made.optimizers = {player: one for player in made.weights}
    made.ema = dict(generator=0.9)
    made.log_every = made.checkpoint_every = 1
    made.keep_checkpoints, made.sample_every, made.sample_count = 3, 100, 2
    made.evaluate_after = False
    return made


def initial(kind: str) -> core.State:
    """A State with the structure of a toy run, to restore into."""
    from gganjax import settings
    from gganjax.train import make_plan

    made, method = config(kind, steps=1).to_dict(), Toy(kind)
    plan = make_plan(made, method, len(source()))
    return core.init(method, plan.optimizers, made["seed"], settings.example(made, method), ema=made["ema"])


def run(kind: str, workdir: Path, steps: int, *, method: Toy | None = None, sources=None, **changes) -> dict:
    """Train a toy; `changes` are top-level values of the configuration."""
    from gganjax.train import train

    made = config(kind, steps=steps)
    made.update(changes)
    sources = sources or dict(train=source(), test=source())
    return train(made, workdir, method=method or Toy(kind), sources=sources)


@contextlib.contextmanager
def compilation_cache(folder: Path):
    """Let every run in the context, and the processes told of the folder, share what was compiled."""
    wanted = dict(jax_compilation_cache_dir=str(folder), jax_persistent_cache_min_compile_time_secs=0,
                  jax_persistent_cache_min_entry_size_bytes=-1)
    before = {name: getattr(jax.config, name) for name in wanted}
    try:
        for name, value in wanted.items():
            jax.config.update(name, value)
        compilation_cache_module.reset_cache()
        yield folder
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache_module.reset_cache()


def main() -> None:
    """Train as the command line says, dropout off and by SGD where several processes are compared with one."""
    kind, workdir, steps, *cluster = sys.argv[1:]
    if cluster:
        from gganjax import devices

        coordinator, count, index = cluster
        if int(count) > 1:
            devices.initialize(coordinator, int(count), int(index))
        optimizers = config(kind, steps=1, optimizer="sgd").optimizers
        run(kind, Path(workdir), int(steps), method=Toy(kind, dropout=0.0), optimizers=optimizers)
    else:
        run(kind, Path(workdir), int(steps))


if __name__ == "__main__":
    main()
