"""Networks and losses that the steps share."""

import torch
from torch import nn
from torch.nn import functional

ADAM = dict(lr=2e-4, betas=(0.5, 0.999))


def norm(channels: int, kind: str = "instance") -> nn.Module:
    """Batch norm, or instance norm without scale and shift, both with running statistics."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels, affine=False, track_running_stats=True)


class Residual(nn.Module):
    """x + branch(x), as in the residual generator."""

    def __init__(self, channels: int, dropout: float):
        super().__init__()
        self.branch = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels), nn.ReLU(), nn.Dropout(dropout),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels))

    def forward(self, x):
        return x + self.branch(x)


def residual_generator(inputs: int, width: int = 64, blocks: int = 9, dropout: float = 0.5) -> nn.Module:
    """The residual generator, [B, inputs, H, W] -> [B, 3, H, W]."""
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, width, 7), norm(width), nn.ReLU()]
    for channels in (width, 2 * width):
        layers += [nn.Conv2d(channels, 2 * channels, 3, 2, 1), norm(2 * channels), nn.ReLU()]
    layers += [Residual(4 * width, dropout) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        up = nn.ConvTranspose2d(channels, channels // 2, 3, 2, 1, output_padding=1)
        layers += [up, norm(channels // 2), nn.ReLU()]
    return drawn(nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()))


def patch_discriminator(inputs: int, width: int = 64, kind: str = "instance") -> nn.Module:
    """The 70x70 PatchGAN, [B, inputs, H, W] -> logits [B, 1, H / 8 - 2, W / 8 - 2]."""
    bias = kind == "instance"
    layers = [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for channels, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
        layers += [nn.Conv2d(channels, 2 * channels, 4, stride, 1, bias=bias), norm(2 * channels, kind), nn.LeakyReLU(0.2)]
    return drawn(nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1)))


class Level(nn.Module):
    """One level of the U-Net: down, what lies below, up; the input stands in front of what comes up."""

    def __init__(self, inputs: int, outputs: int, below: nn.Module | None, dropout: float = 0.0):
        super().__init__()
        down = [nn.LeakyReLU(0.2), nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)]
        up = [nn.ReLU(), nn.ConvTranspose2d(outputs * (2 if below else 1), inputs, 4, 2, 1, bias=False),
              nn.BatchNorm2d(inputs), nn.Dropout(dropout)]
        self.path = nn.Sequential(*down, *([nn.BatchNorm2d(outputs), below] if below else []), *up)

    def forward(self, x):
        return torch.cat((x, self.path(x)), 1)


def u_net(inputs: int, outputs: int, width: int = 64, levels: int = 8) -> nn.Module:
    """The U-Net with batch norms, [B, inputs, H, W] -> [B, outputs, H, W]."""
    widths = [width * min(2**i, 8) for i in range(levels)]
    below = None
    for i in range(levels - 1, 0, -1):
        below = Level(widths[i - 1], widths[i], below, 0.5 if 4 <= i < levels - 1 else 0.0)
    return drawn(nn.Sequential(
        nn.Conv2d(inputs, width, 4, 2, 1, bias=False), below, nn.ReLU(),
        nn.ConvTranspose2d(2 * width, outputs, 4, 2, 1), nn.Tanh()))


class LabeledResidual(nn.Module):
    """x + branch(x), as in StarGAN's generator."""

    def __init__(self, channels: int):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), affine(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), affine(channels))

    def forward(self, x):
        return x + self.branch(x)


def affine(channels: int) -> nn.Module:
    """Instance norm with scale, shift and running statistics."""
    return nn.InstanceNorm2d(channels, affine=True, track_running_stats=True)


def domain_generator(domains: int, width: int = 64, blocks: int = 6) -> nn.Module:
    """StarGAN's generator, [B, 3 + domains, H, W] -> [B, 3, H, W]."""
    layers = [nn.Conv2d(3 + domains, width, 7, 1, 3, bias=False), affine(width), nn.ReLU()]
    for channels in (width, 2 * width):
        layers += [nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False), affine(2 * channels), nn.ReLU()]
    layers += [LabeledResidual(4 * width) for _ in range(blocks)]
    for channels in (4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False), affine(channels // 2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, 3, 7, 1, 3, bias=False), nn.Tanh())


class DomainDiscriminator(nn.Module):
    """StarGAN's discriminator, [B, 3, H, H] -> patch scores [B, 1, h, h] and domain logits [B, domains]."""

    def __init__(self, size: int, domains: int, width: int = 64, layers: int = 6):
        super().__init__()
        body, inputs = [], 3
        for i in range(layers):
            body += [nn.Conv2d(inputs, width * 2**i, 4, 2, 1), nn.LeakyReLU(0.01)]
            inputs = width * 2**i
        self.body = nn.Sequential(*body)
        self.patches = nn.Conv2d(inputs, 1, 3, 1, 1, bias=False)
        self.classes = nn.Conv2d(inputs, domains, size // 2**layers, bias=False)

    def forward(self, x):
        features = self.body(x)
        return self.patches(features), self.classes(features).flatten(1)


def drawn(network: nn.Module) -> nn.Module:
    """The network with kernels from N(0, 0.02) and no biases."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def judge(logits, real: bool, kind: str = "vanilla"):
    """Loss of calling every patch real, or fake."""
    target = torch.full_like(logits, float(real))
    if kind == "vanilla":
        return functional.binary_cross_entropy_with_logits(logits, target)
    return functional.mse_loss(logits, target)


def color(x, y):
    """Sum over the channels of each channel's L1 mean."""
    return sum((x[:, c] - y[:, c]).abs().mean() for c in range(x.shape[1]))


def total_variation(x):
    """Sum of the absolute differences of neighboring pixels."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().sum() + (x[..., 1:] - x[..., :-1]).abs().sum()


class frozen:
    """While in this block the networks take no gradient."""

    def __init__(self, *networks: nn.Module):
        self.parameters = [parameter for network in networks for parameter in network.parameters()]

    def __enter__(self):
        for parameter in self.parameters:
            parameter.requires_grad_(False)

    def __exit__(self, *_):
        for parameter in self.parameters:
            parameter.requires_grad_(True)


def update(optimizer, loss) -> float:
    """One update by the loss, which is returned."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
