"""GestureGAN's two-cycle training step in PyTorch, to measure gganjax against.

Images are float32 [B, 3, H, W] in [-1, 1]. The step has the terms, the networks and the optimizers of
`experiments/gesturegan.py` without the perceptual network (thesis Eq. 2.1 to 2.15).
"""

import torch
from torch import nn
from torch.nn import functional

WEIGHTS = dict(color=800.0, pixel=800.0, cycle=0.1, identity=0.01, tv=1e-6)  # thesis, NTU Hand Digit


class Residual(nn.Module):
    """x + branch(x), as in the thesis's generator."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels), nn.ReLU(), nn.Dropout(0.5),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels))

    def forward(self, x):
        return x + self.branch(x)


def norm(channels: int) -> nn.Module:
    """Instance norm without scale and shift, with running statistics."""
    return nn.InstanceNorm2d(channels, affine=False, track_running_stats=True)


def generator(width: int = 64, blocks: int = 9) -> nn.Module:
    """The residual generator, [B, 6, H, W] -> [B, 3, H, W]."""
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(6, width, 7), norm(width), nn.ReLU()]
    for channels in (width, 2 * width):
        layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), norm(2 * channels), nn.ReLU()]
    layers += [Residual(4 * width) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        up = nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1)
        layers += [up, norm(channels // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


def discriminator(channels: int, width: int = 64) -> nn.Module:
    """The 70x70 PatchGAN, [B, channels, H, W] -> logits [B, 1, H / 8 - 2, W / 8 - 2]."""
    layers = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for inputs, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
        layers += [nn.Conv2d(inputs, 2 * inputs, 4, stride, 1), norm(2 * inputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def judge(logits, real: bool):
    """Binary cross-entropy of the logits against all real or all fake."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def total_variation(x):
    """Sum of the absolute differences of neighboring pixels."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().sum() + (x[..., 1:] - x[..., :-1]).abs().sum()


class Trainer:
    """Networks, optimizers and the step: one rollout of six generator calls serves both players."""

    def __init__(self, width: int = 64, seed: int = 0):
        torch.manual_seed(seed)
        self.generator, self.pair, self.guided = generator(width), discriminator(6, width), discriminator(9, width)
        for network in (self.generator, self.pair, self.guided):
            for layer in network.modules():
                if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                    nn.init.normal_(layer.weight, 0.0, 0.02)
                    nn.init.zeros_(layer.bias)
        settings = dict(lr=2e-4, betas=(0.5, 0.999))
        self.judges = [*self.pair.parameters(), *self.guided.parameters()]
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.judges_optimizer = torch.optim.Adam(self.judges, **settings)

    def logits(self, condition, guidance, candidate):
        """What the two discriminators say of one candidate."""
        return (self.pair(torch.cat((condition, candidate), 1)),
                self.guided(torch.cat((condition, guidance, candidate), 1)))

    def step(self, source, target, source_guidance, target_guidance) -> float:
        """Update the discriminators, then the generator against them; return the generator's loss."""
        def run(image, guidance):
            return self.generator(torch.cat((image, guidance), 1))

        def fooled(logits, real):
            return sum(judge(answer, real) for answer in logits)

        fake_target, fake_source = run(source, target_guidance), run(target, source_guidance)
        cycles = ((run(fake_target, source_guidance), source), (run(fake_source, target_guidance), target))
        same = ((run(source, source_guidance), source), (run(target, target_guidance), target))
        directions = ((source, target_guidance, fake_target, target), (target, source_guidance, fake_source, source))

        self.judges_optimizer.zero_grad()
        sum(0.5 * (fooled(self.logits(condition, guidance, fake.detach()), False)
                   + fooled(self.logits(condition, guidance, real), True))
            for condition, guidance, fake, real in directions).backward()
        self.judges_optimizer.step()

        for parameter in self.judges:
            parameter.requires_grad_(False)
        self.generator_optimizer.zero_grad()
        loss = 0.0
        for condition, guidance, fake, real in directions:
            loss = loss + fooled(self.logits(condition, guidance, fake), True)
            color = sum((fake[:, c] - real[:, c]).abs().mean() for c in range(3))
            loss = loss + WEIGHTS["color"] * color + WEIGHTS["pixel"] * (fake - real).abs().mean()
            loss = loss + WEIGHTS["tv"] * total_variation(fake)
        for pairs, name in ((cycles, "cycle"), (same, "identity")):
            loss = loss + WEIGHTS[name] * sum((made - given).abs().mean() for made, given in pairs)
        loss.backward()
        self.generator_optimizer.step()
        for parameter in self.judges:
            parameter.requires_grad_(True)
        return loss.item()
