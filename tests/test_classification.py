"""The classifier of real images: its structure, that it learns, and that it counts rightly."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gganjax.errors import InputError
from gganjax.layers import Mode
from gganjax.metrics import classification

TOY = dict(epochs=6, batch_size=8, width=4, blocks=(1, 1))


def pictures(count, *, classes=3, size=32, seed=0):
    """Noise whose channel `label` is the brightest, and the labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = random.integers(0, 120, (count, size, size, 3), np.uint8)
    images[np.arange(count), :, :, labels] += 100
    return images, labels


@pytest.fixture(scope="module")
def trained():
    return classification.train(*pictures(60), **TOY)


def test_resnet18_has_the_published_size():
    """11,689,512 parameters with 1000 classes, as torchvision's; 512 features a class before the last layer."""
    for classes in (7, 1000):
        net, image = classification.ResNet18(classes), jnp.zeros((1, 128, 128, 3))
        variables = jax.eval_shape(net.init, jax.random.key(0), image)
        assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == 11_176_512 + 513 * classes
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["moving"])) == 2 * 4800


@pytest.mark.parametrize("size, smallest", [(128, 4), (256, 8)])
def test_sizes_halve_five_times(size, smallest):
    """Seen at the last block: 1/32 of the size with 512 channels."""
    found = []

    def watch(next_call, args, kwargs, context):
        out = next_call(*args, **kwargs)
        found.extend([out.shape] if isinstance(context.module, classification.BasicBlock) else [])
        return out

    import flax.linen as nn

    with nn.intercept_methods(watch):
        images = jnp.zeros((2, size, size, 3))
        out, _ = jax.eval_shape(classification.ResNet18(7).init_with_output, jax.random.key(0), images)
    assert out.shape == (2, 7)
    assert [shape[1] for shape in found] == [smallest * scale for scale in (8, 8, 4, 4, 2, 2, 1, 1)]
    assert [shape[3] for shape in found] == [64, 64, 128, 128, 256, 256, 512, 512]


def test_it_learns_what_can_be_learned(trained):
    """Colors of images that it has not seen; labels exchanged are all wrong, and right within the first three."""
    assert trained.real_accuracy == 100
    assert len(trained.held_out) == 6
    images, labels = pictures(20, seed=1)
    assert classification.accuracy(trained, images, labels) == 100
    assert classification.accuracy(trained, images, (labels + 1) % 3) == 0
    assert classification.accuracy(trained, images, (labels + 1) % 3, k=3) == 100
    mixed = np.where(np.arange(20) < 7, labels, (labels + 1) % 3)
    assert classification.accuracy(trained, images, mixed) == pytest.approx(35)


def test_accuracy_does_not_depend_on_the_batch_and_counts_the_first_k(trained):
    """Against the scores of the network itself; floats in [-1, 1] are the same as uint8."""
    images, labels = pictures(11, seed=2)
    labels = np.random.default_rng(0).integers(0, 3, 11)
    floats = images.astype(np.float32) / 127.5 - 1
    variables = {"params": trained.params, "moving": trained.moving}
    scores = trained.net.apply(variables, floats, Mode(norm="running", dropout=False, keep=False))
    order = np.argsort(-np.asarray(scores), 1)
    for k in (1, 2):
        expected = 100 * np.mean([label in row[:k] for label, row in zip(labels, order, strict=True)])
        assert classification.accuracy(trained, images, labels, k=k, batch_size=8) == pytest.approx(expected)
        assert classification.accuracy(trained, floats, labels, k=k, batch_size=8) == pytest.approx(expected)


def test_the_seed_decides_everything(trained):
    again = classification.train(*pictures(60), **TOY)
    assert jax.tree.all(jax.tree.map(np.array_equal, again.params, trained.params))
    assert np.array_equal(again.held_out, trained.held_out)
    other = classification.train(*pictures(60), **TOY, seed=1)
    assert not np.array_equal(other.held_out, trained.held_out)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x, y, c: classification.train(x[:9], y[:9]), "a split of 90 to 10 % needs at least 10 images, got 9"),
        (lambda x, y, c: classification.train(x, y * 2), r"5 classes needs images of each .* none of \[1, 3\]"),
        (lambda x, y, c: classification.train(x, y[:3]), "as many labels, whole numbers from 0, got int64"),
        (lambda x, y, c: classification.train(x, y + 0.5), "whole numbers from 0, got float64"),
        (lambda x, y, c: classification.train(x, y - 1), "whole numbers from 0, got int64"),
        (lambda x, y, c: classification.train(x[..., :1], y), r"of at least 32x32 pixels, got \(\d+, 32, 32, 1\)"),
        (lambda x, y, c: classification.train(x[:, :9], y), r"of at least 32x32 pixels, got \(\d+, 9, 32, 3\)"),
        (lambda x, y, c: classification.train(np.full(x.shape, np.nan), y), "images of finite values"),
        (lambda x, y, c: classification.accuracy(c, x[:0], y[:0]), "0 images need as many labels"),
        (lambda x, y, c: classification.accuracy(c, x, y + 1), "3 classes; asked for were class 3 among the first 1"),
        (lambda x, y, c: classification.accuracy(c, x, y, k=5), "3 classes; asked for were class 2 among the first 5"),
    ],
)
def test_bad_input_is_one_sentence(call, message, trained):
    with pytest.raises(InputError, match=message):
        call(*pictures(12), trained)
