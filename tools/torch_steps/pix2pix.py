"""Pix2pix's step: discriminator, then generator; both see the target's guidance beside the source."""

import torch

from .networks import ADAM, frozen, judge, patch_discriminator, u_net, update


class Trainer:
    """Networks, optimizers and the step."""

    def __init__(self, method: str, shapes: dict, width: int = 64):
        self.generator, self.judge = u_net(6, 3, width), patch_discriminator(9, width, "batch")
        self.optimizer = torch.optim.Adam(self.generator.parameters(), **ADAM)
        self.judge_optimizer = torch.optim.Adam(self.judge.parameters(), **ADAM)

    def step(self, batch: dict) -> float:
        """Update both; return the generator's loss."""
        given, target = torch.cat((batch["source"], batch["target_guidance"]), 1), batch["target"]
        fake = self.generator(given)
        update(self.judge_optimizer, 0.5 * (judge(self.judge(torch.cat((given, fake.detach()), 1)), False)
                                            + judge(self.judge(torch.cat((given, target), 1)), True)))
        with frozen(self.judge):
            adversarial = judge(self.judge(torch.cat((given, fake), 1)), True)
            return update(self.optimizer, adversarial + 100 * (fake - target).abs().mean())
