"""LGGAN's generators and losses beside recorded runs of its release, and SAU beside an independent one."""

import flax.linen as nn
import jax
import numpy as np

from gganjax import core, losses, methods, port
from gganjax.layers import Conv, Mode
from gganjax.nets.lggan import CrossViewGenerator, SemanticGenerator
from gganjax.nets.localglobal import class_masks
from gganjax.nets.spade import SpadeTrunk
from gganjax.nets.upsampling import SemanticAwareUpsample, unfold
from parities.common import Fixture, Pair

# Compiling is nearly all of the time, and a third of it is spent on speed that one call does not need.
FAST = {"xla_backend_optimization_level": 0}
# ADE20K's recorded training pictures come from 32x32 pixels: the first batch norms see two values each, whose rounding
# they magnify. The same network in float64 differs from them by 4.3e-4.
TWO_VALUES = dict.fromkeys(("train_global_image", "train_final_image"), {
    "tolerance": 1e-3, "reason": "norms over two values magnify rounding: float64 is 4e-4 from the recorded run"})
SUMS = ("fake_target", "fake_global", "fake_local")  # the pictures of one rollout


def sau(fixture: Fixture) -> list[Pair]:
    """Compares the upsampled features and the weights at every pixel."""
    given, x = fixture.arguments, fixture.arrays["in/f"]
    module = SemanticAwareUpsample(given["compressed"], given["k"], given["scale"])
    variables = port.to_flax(port.lggan.sau_table(), fixture.group("w/"), port.shapes(module, x.shape))

    @jax.jit
    def run(variables):
        weights = unfold(module.apply(variables, x, method="kernels"))
        return {"f_up": module.apply(variables, x), "kernels": weights.reshape(*weights.shape[:3], -1)}

    return answers(fixture, run(variables))


def crossview(fixture: Fixture) -> list[Pair]:
    """Compares the masks, the images of the classes, both images, their weights and the result."""
    given, state = fixture.group("in/"), port.lggan.join(fixture.group("w/"))
    found = port.lggan.describe(fixture.group("w/"))
    module = CrossViewGenerator(found["width"], found["blocks"], found["classes"])
    x = np.concatenate([given["image_a"], given["semantic_g"]], -1)
    numbers = given["label_f"][..., 0] / 10
    classes = np.where((numbers == np.rint(numbers)) & (numbers <= found["classes"]), numbers, 0).astype(np.int32)
    expected = jax.eval_shape(module.init, jax.random.key(0), x, classes)
    variables = port.to_flax(port.lggan.table("cross_view", blocks=found["blocks"]), state, expected)
    out = jax.jit(module.apply, compiler_options=FAST)(variables, x, classes)
    masks = class_masks(classes - 1, found["classes"])
    ours = {f"mask_{k + 1}": masks[..., k : k + 1] for k in range(found["classes"])}
    ours |= {"class_images": out["class_images"].reshape(*masks.shape[:3], -1), "local_image": out["fake_local"],
             "global_image": out["fake_global"], "final_image": out["fake_target"],
             "weight_local": out["weights"][..., :1], "weight_global": out["weights"][..., 1:]}
    return answers(fixture, ours)


def semantic(fixture: Fixture) -> list[Pair]:
    """Compares images, class images, scores and weights, at test time and in training."""
    given, seg = fixture.arguments, fixture.arrays["in/seg"]
    found, state = port.lggan.describe(fixture.group("w/")), port.lggan.join(fixture.group("w/"))
    trunk = SpadeTrunk(found["width"], given["num_upsampling_layers"], hidden=found["hidden"])
    labels = given["semantic_nc"] if given["local_classes"] < given["label_nc"] else given["label_nc"]
    module = SemanticGenerator(trunk, found["blocks"], labels, found["classes"], spare_first=True)
    table = port.lggan.table("semantic", blocks=found["blocks"], upsampling=given["num_upsampling_layers"],
                             spare_first=True)
    variables = port.to_flax(table, state, jax.eval_shape(module.init, jax.random.key(0), seg))

    def run(variables, seg):
        return {name: module.apply(variables, seg, Mode(norm, keep=False))
                for name, norm in (("eval", "running"), ("train", "batch"))}

    ours = {}
    for mode, out in jax.jit(run, compiler_options=FAST)(variables, seg).items():
        scores, images = out["scores"], out["class_images"]
        present = class_masks(module.classes_of(seg), module.scored).max((1, 2))
        named = {"final_image": out["fake_target"], "global_image": out["fake_global"],
                 "local_image": out["fake_local"], "class_images_sum": images.sum(3),
                 "class_image_first": images[:, :, :, 0],
                 "class_image_last": images[:, :, :, -1], "weight_local": out["weights"][..., :1],
                 "weight_global": out["weights"][..., 1:], "valid": present.T.reshape(-1),
                 "feature_score": scores.swapaxes(0, 1).reshape(-1, module.scored),
                 "target": np.repeat(np.arange(module.scored), len(seg))}
        ours |= {f"{mode}_{name}": value for name, value in named.items()}
    alone = len(seg) == 2 and module.stride == seg.shape[1]
    return answers(fixture, ours, TWO_VALUES if alone else {})


class Judge(nn.Module):
    """The stand-in of both recorded discriminators: a 4x4 convolution of stride 2."""

    @nn.compact
    def __call__(self, x, mode):
        return Conv(1, 4, stride=2, padding=1, name="conv")(x)


def objectives(fixture: Fixture) -> list[Pair]:
    """Compares the losses across views and their gradients; the perceptual network is the identity there."""
    given = fixture.group("in/")
    method = methods.load("lggan", dict(perceptual="none", width=4, blocks=1))
    method.nets |= {net: Judge() for net in ("discriminator_source", "discriminator_guidance")}
    kernel = given["d_weight"].reshape(1, 6, 4, 4).transpose(2, 3, 1, 0)
    judge = {"conv": {"kernel": kernel, "bias": given["d_bias"].reshape(1)}}
    params = dict.fromkeys(("discriminator_source", "discriminator_guidance"), judge)
    batch = {"source": given["real_A"], "target": given["real_B"], "target_guidance": given["real_D"],
             "target_classes": (given["class_mask"][..., 0].astype(np.int32) + 1) % 7}
    height, width = given["real_A"].shape[1:3]
    images = dict(zip(SUMS, (given["fake_B"], given["fake_B_global"], given["fake_B_local"]), strict=True))
    images["class_images"] = given["class_images"].reshape(-1, height, width, 6, 3)
    key = jax.random.key(0)

    def terms(images):
        call = core.Call(method, params, {}, examples=len(given["real_A"]))
        return method.generator_loss(key, call, batch, images), method.discriminator_loss(key, call, batch, images)

    def total(images):
        made, _ = terms(images)
        perceptual = sum(losses.pixel(images[name], batch["target"]) for name in SUMS)
        parts = {"G_GAN_D1": made["gan_source"], "G_GAN_D2": made["gan_guidance"],
                 "G_local_L1": 100 * made["classes"], "G_VGG": 10 * perceptual, "G_TV": 1e-6 * made["tv"],
                 "G_global_L1": 100 * (made["pixel"] + made["pixel_global"] + made["pixel_local"])}
        return sum(parts.values()), parts

    (whole, parts), slopes = jax.jit(jax.value_and_grad(total, has_aux=True))(images)
    _, judged = jax.jit(terms)(images)
    ours = parts | {"G": whole, "grad_final": slopes["fake_target"], "grad_g1": slopes["class_images"][:, :, :, 0]}
    ours["G_L1"] = parts["G_local_L1"] + parts["G_global_L1"]
    for theirs, ours_ in (("D1", "source"), ("D2", "guidance")):
        ours[theirs] = (judged[f"{ours_}_fake"] + judged[f"{ours_}_real"]) / 2
    return answers(fixture, ours)


def class_loss(fixture: Fixture) -> list[Pair]:
    """Compares the class loss and the cross entropy of every row."""
    given, rows = fixture.group("in/"), fixture.arguments["batch"]
    scores, valid = given["feature_score"], given["valid"]
    by_picture = scores.reshape(-1, rows, scores.shape[1]).swapaxes(0, 1)
    alone = [losses.class_loss(by_picture, row.reshape(-1, rows).T) for row in np.eye(len(scores), dtype=np.float32)]
    whole = losses.class_loss(by_picture, valid.reshape(-1, rows).T)
    return answers(fixture, {"ce_per_row": np.stack(alone), "loss": whole})


def answers(fixture: Fixture, ours: dict, exceptions: dict | None = None) -> list[Pair]:
    """Pairs every recorded output with ours of its name; single numbers are recorded as arrays of one."""
    ours = {name: np.reshape(value, 1) if np.ndim(value) == 0 else value for name, value in ours.items()}
    return [Pair(name, ours.get(name, np.nan), recorded, **(exceptions or {}).get(name, {}))
            for name, recorded in fixture.group("out/").items()]
