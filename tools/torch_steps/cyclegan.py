"""CycleGAN's step: both generators, then both discriminators; the pools are empty, as in a run's first steps."""

import itertools

import torch

from .networks import ADAM, frozen, judge, patch_discriminator, residual_generator, update


class Trainer:
    """Networks, optimizers and the step."""

    def __init__(self, method: str, shapes: dict, width: int = 64):
        self.to = {side: residual_generator(3, width, dropout=0.0) for side in ("target", "source")}
        self.judges = {side: patch_discriminator(3, width) for side in self.to}
        both = lambda networks: itertools.chain(*(network.parameters() for network in networks.values()))
        self.optimizer, self.judges_optimizer = (
            torch.optim.Adam(both(networks), **ADAM) for networks in (self.to, self.judges))

    def step(self, batch: dict) -> float:
        """Update all; return the generators' loss."""
        fakes, loss = {}, 0.0
        with frozen(*self.judges.values()):
            for here, there in (("source", "target"), ("target", "source")):
                fakes[there] = self.to[there](batch[here])
                back, same = self.to[here](fakes[there]), self.to[here](batch[here])
                loss = loss + judge(self.judges[there](fakes[there]), True, "least_squares")
                loss = loss + 10 * (back - batch[here]).abs().mean() + 5 * (same - batch[here]).abs().mean()
            loss = update(self.optimizer, loss)
        update(self.judges_optimizer, sum(
            0.5 * (judge(self.judges[side](fakes[side].detach()), False, "least_squares")
                   + judge(self.judges[side](batch[side]), True, "least_squares")) for side in fakes))
        return loss
