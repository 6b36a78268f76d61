"""GestureGAN's two-cycle step, and paired AsymmetricGAN's (thesis Eq. 2.1 to 2.15), without the perceptual network.

AsymmetricGAN's way back is made by a generator of its own with four filters.
"""

import itertools

import torch

from .networks import ADAM, color, frozen, judge, patch_discriminator, residual_generator, total_variation, update

WEIGHTS = dict(color=800.0, pixel=800.0, cycle=0.1, identity=0.01, tv=1e-6)  # thesis, NTU Hand Digit


class Trainer:
    """Networks, optimizers and the step: one rollout of six generator calls serves both players."""

    def __init__(self, method: str, shapes: dict, width: int = 64):
        self.generator = residual_generator(6, width)
        self.back = self.generator if method == "gesturegan" else residual_generator(6, 4)
        self.pair, self.guided = patch_discriminator(6, width), patch_discriminator(9, width)
        networks = {self.generator, self.back}
        self.optimizer = torch.optim.Adam(itertools.chain(*(net.parameters() for net in networks)), **ADAM)
        self.judges_optimizer = torch.optim.Adam([*self.pair.parameters(), *self.guided.parameters()], **ADAM)

    def judged(self, condition, guidance, candidate, real: bool):
        """The two discriminators' losses on one candidate."""
        return (judge(self.pair(torch.cat((condition, candidate), 1)), real)
                + judge(self.guided(torch.cat((condition, guidance, candidate), 1)), real))

    def step(self, batch: dict) -> float:
        """Update the discriminators, then the generator against them; return the generator's loss."""
        names = ("source", "target", "source_guidance", "target_guidance")
        source, target, source_guidance, target_guidance = (batch[name] for name in names)

        def run(network, image, guidance):
            return network(torch.cat((image, guidance), 1))

        fake_target, fake_source = (run(self.generator, *one) for one in (
            (source, target_guidance), (target, source_guidance)))
        cycles = ((run(self.back, fake_target, source_guidance), source),
                  (run(self.back, fake_source, target_guidance), target))
        same = ((run(self.generator, source, source_guidance), source),
                (run(self.generator, target, target_guidance), target))
        directions = ((source, target_guidance, fake_target, target), (target, source_guidance, fake_source, source))

        update(self.judges_optimizer, sum(
            0.5 * (self.judged(condition, guidance, fake.detach(), False) + self.judged(condition, guidance, real, True))
            for condition, guidance, fake, real in directions))
        with frozen(self.pair, self.guided):
            loss = 0.0
            for condition, guidance, fake, real in directions:
                loss = loss + self.judged(condition, guidance, fake, True)
                loss = loss + WEIGHTS["color"] * color(fake, real) + WEIGHTS["pixel"] * (fake - real).abs().mean()
                loss = loss + WEIGHTS["tv"] * total_variation(fake)
            for pairs, name in ((cycles, "cycle"), (same, "identity")):
                loss = loss + WEIGHTS[name] * sum((made - given).abs().mean() for made, given in pairs)
            return update(self.optimizer, loss)
