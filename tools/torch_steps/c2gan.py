"""C2GAN's step with three cycles: both generators by one objective, then each discriminator; the pools are empty."""

import torch

from .networks import ADAM, frozen, judge, patch_discriminator, u_net, update


class Trainer:
    """Networks, optimizers and the step."""

    def __init__(self, method: str, shapes: dict, width: int = 64):
        channels = shapes["target_guidance"][1]
        self.image, self.guidance = u_net(3 + channels, 3, width), u_net(3, channels, width)
        self.image_judge = patch_discriminator(6 + channels, width, "batch")
        self.guidance_judge = patch_discriminator(3 + channels, width, "batch")
        self.optimizer = torch.optim.Adam([*self.image.parameters(), *self.guidance.parameters()], **ADAM)
        self.image_optimizer = torch.optim.Adam(self.image_judge.parameters(), **ADAM)
        self.guidance_optimizer = torch.optim.Adam(self.guidance_judge.parameters(), **ADAM)

    def step(self, batch: dict) -> float:
        """Update all; return the generators' loss."""
        names = ("source", "target", "source_guidance", "target_guidance")
        source, target, source_guidance, target_guidance = (batch[name] for name in names)
        fake = self.image(torch.cat((source, target_guidance), 1))
        back = self.image(torch.cat((fake, source_guidance), 1))
        read = ((fake, self.guidance(fake), target_guidance), (back, self.guidance(back), source_guidance))
        tuples = ((source, target_guidance, fake, target), (target, source_guidance, back, source))

        with frozen(self.image_judge, self.guidance_judge):
            loss = 10 * ((fake - target).abs().mean() + (back - source).abs().mean())
            for condition, guidance, made, _ in tuples:
                loss = loss + judge(self.image_judge(torch.cat((condition, guidance, made), 1)), True)
            for image, found, given in read:
                loss = loss + judge(self.guidance_judge(torch.cat((image, found), 1)), True)
                loss = loss + 10 * (found - given).abs().mean()
            loss = update(self.optimizer, loss)
        update(self.image_optimizer, sum(
            0.5 * (judge(self.image_judge(torch.cat((condition, guidance, made.detach()), 1)), False)
                   + judge(self.image_judge(torch.cat((condition, guidance, real), 1)), True))
            for condition, guidance, made, real in tuples))
        update(self.guidance_optimizer, sum(
            0.5 * (judge(self.guidance_judge(torch.cat((image.detach(), found.detach()), 1)), False)
                   + judge(self.guidance_judge(torch.cat((image.detach(), given), 1)), True))
            for image, found, given in read))
        return loss
