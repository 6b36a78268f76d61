"""The steps of StarGAN and of unpaired AsymmetricGAN in which both sides move: discriminator, then generators.

StarGAN has the Wasserstein critic with gradient penalty. AsymmetricGAN has least squares, a generator of Architecture
III for the way back that learns from what the updated translator makes, the color cycle, MS-SSIM and the conditional
identity (AsymmetricGAN Eq. 1 to 8); its buffer is empty, as in a run's first steps.
"""

import torch
from torch.nn import functional

from .networks import DomainDiscriminator, color, domain_generator, frozen, judge, update

SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents of MS-SSIM (Wang et al. 2003)


class Trainer:
    """Networks, optimizers and the step."""

    def __init__(self, method: str, shapes: dict, width: int = 64):
        domains, size = shapes["source_domain"][1], shapes["source"][2]
        self.star = method == "stargan"
        self.generator = domain_generator(domains, width)
        self.back = self.generator if self.star else domain_generator(domains, width)
        self.judge = DomainDiscriminator(size, domains, width)
        settings = dict(lr=1e-4, betas=(0.5, 0.999))
        self.optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.back_optimizer = torch.optim.Adam(self.back.parameters(), **settings)
        self.judge_optimizer = torch.optim.Adam(self.judge.parameters(), **settings)

    def step(self, batch: dict) -> float:
        """Update the discriminator, then the generators against it; return the loss of the (first) generator."""
        source, own = batch["source"], batch["source_domain"]
        wanted = own[torch.randperm(len(own))] if self.star else batch["target_domain"]
        fake = self.generator(labeled(source, wanted))

        patches, classes = self.judge(source)
        judged = self.judge(fake.detach())[0]
        if self.star:
            loss = judged.mean() - patches.mean() + 10 * self.penalty(source, fake.detach())
        else:
            loss = judge(judged, False, "least_squares") + judge(patches, True, "least_squares")
        update(self.judge_optimizer, loss + functional.cross_entropy(classes, own.argmax(1)))

        with frozen(self.judge):
            patches, classes = self.judge(fake)
            loss = functional.cross_entropy(classes, wanted.argmax(1))
            if self.star:
                loss = loss - patches.mean() + 10 * (self.back(labeled(fake, own)) - source).abs().mean()
                return update(self.optimizer, loss)
            with frozen(self.back):
                loss = loss + judge(patches, True, "least_squares") + self.way_back(fake, source, own)
                result = update(self.optimizer, loss)
        with torch.no_grad():
            fake = self.generator(labeled(source, wanted))
        same = self.back(labeled(source, own))
        update(self.back_optimizer, self.way_back(fake, source, own) + 0.5 * (same - source).abs().mean())
        return result

    def way_back(self, fake, source, own):
        """Color cycle and MS-SSIM of the source made again."""
        back = self.back(labeled(fake, own))
        return 10 * color(back, source) + 1 - ms_ssim(back, source)

    def penalty(self, real, fake):
        """Squared distance of the slope from 1 between real and generated images."""
        share = torch.rand(len(real), 1, 1, 1)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(self.judge(between)[0].sum(), between, create_graph=True)
        return ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def labeled(image, label):
    """The label [B, M] behind the channels of every pixel."""
    return torch.cat((image, label[:, :, None, None].expand(-1, -1, *image.shape[2:])), 1)


def ms_ssim(x, y):
    """Mean MS-SSIM of images in [-1, 1], with an 11x11 Gaussian window of deviation 1.5, valid pixels only."""
    x, y = (x + 1) / 2, (y + 1) / 2
    line = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2
    window = window.expand(3, 1, 11, 11)
    blur = lambda z: functional.conv2d(z, window, groups=3)
    product = 1.0
    for number, exponent in enumerate(SCALES):
        mean_x, mean_y = blur(x), blur(y)
        var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
        contrast = (2 * (blur(x * y) - mean_x * mean_y) + 0.03**2) / (var_x + var_y + 0.03**2)
        if number == len(SCALES) - 1:
            contrast = contrast * (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
        product = product * functional.relu(contrast.mean((1, 2, 3))) ** exponent
        x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
    return product.mean()
