"""Feature networks of the metrics at reduced width, LPIPS and its released heads, and a perceptual loss."""

import re

import jax
import jax.numpy as jnp
import numpy as np

from gganjax import features, losses, port
from gganjax.errors import InputError
from gganjax.features import distance
from parities.common import Fixture, Pair

NETS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}


def pairs(fixture: Fixture, ours: dict) -> list[Pair]:
    """Pairs every recorded output with ours of the same name; what has none is compared with NaN, which fails."""
    return [Pair(name, ours.get(name, np.nan), recorded) for name, recorded in fixture.group("out/").items()]


def variables(fixture: Fixture, name: str, module, *sizes) -> dict:
    """Converts the recorded weights; LPIPS was recorded with the trunk cut into slices."""
    expected = port.shapes(module, *sizes)
    state = {re.sub(r"net\.slice\d\.", "features.", key): value for key, value in fixture.group("w/").items()}
    return port.to_flax(port.frozen.table(name, expected), state, expected)


def inception(fixture: Fixture) -> list[Pair]:
    """Compares Inception on a picture smaller than its input and on a larger one."""
    given = fixture.arguments
    module = features.Inception(divisor=given["width_divisor"], classes=given["num_classes"])
    weights = variables(fixture, "inception", module, (1, 64, 64, 3))
    ours = {}
    for name, image in fixture.group("in/").items():
        kind = name.removeprefix("image_")
        resized, out = jax.jit(lambda x: (features.inception.prepared(x), module.apply(weights, x)))(image * 2 - 1)
        resized = (resized + 1) / 2  # images and what they are resized to were recorded in [0, 1]
        values = {
            "resized_crop": resized[:, 100:124, 200:224],
            "resized_mean": resized.mean((1, 2)),
            "block0_crop": out.blocks[0][:, :8, -8:],
            "block2_crop": out.blocks[2][:, :6, -6:],
            "pool": out.pool,
            "logits": out.logits,
            "probs_no_bias": out.probabilities,
        }
        values |= {f"block{i}_mean": out.taps[i] for i in range(3)}
        ours |= {f"{key}_{kind}": value for key, value in values.items()}
    return pairs(fixture, ours)


def resnet50(fixture: Fixture) -> list[Pair]:
    """Compares the four stages and the logits of ResNet-50 on an input that is normalized already."""
    given, x = fixture.arguments, fixture.arrays["in/input"]
    module = features.ResNet50(divisor=given["width_divisor"], classes=given["num_classes"], normalized=False)
    out = jax.jit(module.apply)(variables(fixture, "resnet50", module, x.shape), x)
    return pairs(fixture, {"logits": out.logits} | {f"layer{i}": layer for i, layer in enumerate(out.layers, start=1)})


def alexnet_places(fixture: Fixture) -> list[Pair]:
    """Compares the scene classifier on an input that is normalized already."""
    given, x = fixture.arguments, fixture.arrays["in/input"]
    module = features.AlexNetPlaces(divisor=given["width_divisor"], classes=given["num_classes"], normalized=False)
    out = jax.jit(module.apply)(variables(fixture, "alexnet_places365", module, x.shape), x)
    return pairs(fixture, {"features": out.features, "logits": out.logits, "probs": out.probabilities})


def lpips(fixture: Fixture) -> list[Pair]:
    """Compares the distance and its parts: layers, no heads, no scaling (version 0.0), map, taps."""
    given, (a, b) = fixture.arguments, fixture.group("in/").values()
    options = {"net": NETS[given["net"]], "width": given["channels"][0]}
    module = features.LPIPS(**options)
    weights = variables(fixture, f"lpips_{module.net}", module, a.shape, b.shape)
    trunk = distance.TRUNKS[module.net](
        width=module.width, normalized=True, **{"depth": 16} if module.net == "vgg16" else {}
    )

    @jax.jit
    def run(weights):
        bare = {"params": {"trunk": weights["params"]["trunk"]}}
        values = {
            "distance": module.apply(weights, a, b),
            "per_layer": module.apply(weights, a, b, method="layers"),
            "baseline": features.LPIPS(**options, weighted=False).apply(bare, a, b),
            "distance_v0_0": features.LPIPS(**options, scaled=False).apply(weights, a, b),
            "spatial": module.apply(weights, a, b, method="spatial")[..., None],
            "scaled": features.frozen.normalize(a),
        }
        taps = trunk.apply({"params": weights["params"]["trunk"]}, a)
        return values | {f"feat{k}": tap for k, tap in enumerate(taps)}

    return pairs(fixture, run(weights))


def lpips_heads(fixture: Fixture) -> list[Pair]:
    """Compares the released heads on recorded features; the heads lie beside the fixtures, not in the repository."""
    given, ours = fixture.group("in/"), {}
    folder = fixture.path.resolve().parent.parent / "weights" / "lpips"
    for net in NETS:
        if not (folder / f"{net}.npz").is_file():
            raise InputError(f"{folder / net}.npz, the released heads, is missing; it belongs beside the fixtures")
        with np.load(folder / f"{net}.npz") as file:
            heads = [file[f"lin{k}"] for k in range(len(file.files))]
        taps = [[given[f"{net}_feat{k}_{side}"] for k in range(len(heads))] for side in (0, 1)]
        layers = jnp.stack([level.mean((1, 2)) for level in distance.differences(*taps, heads)], axis=-1)
        ours |= {f"{net}_per_layer": layers, f"{net}_distance": layers.sum(-1)}
    return pairs(fixture, ours)


def perceptual_l1(fixture: Fixture) -> list[Pair]:
    """Compares the loss of PATN: L1 of the pixels and L1 or L2 of one feature map of ImageNet-normalized pictures."""
    given, fake, target = fixture.arguments, fixture.arrays["in/fake"], fixture.arrays["in/target"]
    weights = fixture.group("w/")
    kernels = [jnp.asarray(port.convert.CONV.there(weights[f"{i}.weight"])) for i in (0, 2)]
    biases = [weights[f"{i}.bias"] for i in (0, 2)]

    def net(x):  # the recorded stand-in for VGG19 up to relu1_2
        for kernel, bias in zip(kernels, biases, strict=True):
            x = jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.nn.relu(x + bias)
        return x

    ours = {}
    for kind, compare in (("l1", losses.pixel), ("l2", losses.pixel_l2)):

        def terms(fake, compare=compare):
            maps = [net(features.frozen.normalize(x)) for x in (fake, target)]
            l1 = given["lambda_L1"] * losses.pixel(fake, target)
            level = given["lambda_perceptual"] * compare(*maps)
            return l1 + level, (l1, level)

        (total, (l1, level)), gradient = jax.value_and_grad(terms, has_aux=True)(fake)
        ours |= {
            f"{kind}_total": total,
            f"{kind}_l1": l1,
            f"{kind}_perceptual": level,
            f"{kind}_dtotal_dfake": gradient,
        }
    return pairs(fixture, ours)
