"""BiGraphGAN's parts: the reasoning, a block and the fusion by their formulas, and what it shows of its inside."""

import jax
import numpy as np
import pytest

from gganjax.layers import Mode
from gganjax.nets.bigraph import BiGraphGenerator, GraphReasoning, ImageFusion, InteractionBlock
from gganjax.nets.patn import PATNGenerator
from gganjax.nets.pose import PoseEncoder, PoseStream
from gganjax.report import to_uint8

QUIET = Mode(dropout=False, keep=False)


def drawn(module, *inputs, seed=0):
    """Variables of a module, all drawn anew so that no scale is 1 and no shift 0; variances are positive."""
    shapes = jax.eval_shape(lambda *x: module.init(jax.random.key(0), *x, QUIET), *inputs)
    random = np.random.default_rng(seed)

    def draw(path, leaf):
        value = random.normal(size=leaf.shape).astype(np.float32)
        return np.abs(value) + 0.5 if path[-1].key == "var" else value * (0.5 if len(leaf.shape) < 4 else 0.2)

    return {"params": {}} | jax.tree_util.tree_map_with_path(draw, dict(shapes))


def noise(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def run(module, variables, *inputs, mode=QUIET, **options):
    """The output and what moved."""
    apply = lambda variables, *x: module.apply(variables, *x, mode, mutable=["moving"], **options)
    out, moved = jax.jit(apply, compiler_options={"xla_backend_optimization_level": 0})(variables, *inputs)
    return jax.device_get(out), jax.device_get(moved)


def reasoning(params, moving, a, b, form, norm="batch"):
    """Both updated codes position by position in float64, and the statistics the batch norm sees, a's then b's."""
    point = lambda layer, x: x @ np.float64(params[layer]["kernel"][0, 0]) + params[layer].get("bias", 0)
    codes, out, statistics = {"a": np.float64(a), "b": np.float64(b)}, {}, []
    for own, other in (("a", "b"), ("b", "a")):
        name = (lambda kind, code: kind) if form == "released" else (lambda kind, code: f"{kind}_{code}")
        state, node = point(name("states", own), codes[own]), point(name("nodes", other), codes[other])
        gcn = params[f"gcn_{own}"]
        mix, weight = np.float64(gcn["nodes"]["kernel"]).T, np.float64(gcn["states"]["kernel"])
        batch, height, width, _ = state.shape
        brought = np.zeros(state.shape)
        for i in range(batch):
            graph = sum(np.outer(node[i, y, x], state[i, y, x]) for y in range(height) for x in range(width))
            if form == "thesis":  # Eq. 4.10
                graph = (np.eye(len(mix)) - mix) @ graph @ weight
            else:
                graph = np.maximum(graph + mix @ graph + gcn["nodes"]["bias"][:, None], 0) @ weight
            for y in range(height):
                for x in range(width):
                    brought[i, y, x] = node[i, y, x] @ graph
        message = point(name("extend", own), brought)
        if form == "released":
            layer, axes = params["extend_norm"], (0, 1, 2)
            mean, var = message.mean(axes), message.var(axes)
            statistics.append((mean, message.var(axes, ddof=1)))
            if norm == "running":
                mean, var = moving["extend_norm"]["mean"], moving["extend_norm"]["var"]
            message = (message - mean) / np.sqrt(var + 1e-4) * layer["scale"] + layer["bias"]
        out[own] = codes[own] + message
    return out["a"], out["b"], statistics


@pytest.mark.parametrize("form, norm", [("thesis", "batch"), ("released", "batch"), ("released", "running")])
def test_reasoning_by_its_formula(form, norm):
    a, b = noise(2, 3, 4, 6), noise(2, 3, 4, 6, seed=2)
    graph = GraphReasoning(states=5, nodes=3, form=form)
    variables = drawn(graph, a, b)
    found, moved = run(graph, variables, a, b, mode=Mode(norm, keep=norm == "batch"))
    before = variables.get("moving")
    *expected, statistics = reasoning(variables["params"], before, a, b, form, norm)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    if form == "released" and norm == "batch":  # the norm runs for a, then for b
        mean, var = before["extend_norm"]["mean"], before["extend_norm"]["var"]
        for newest_mean, newest_var in statistics:
            mean, var = 0.9 * mean + 0.1 * newest_mean, 0.9 * var + 0.1 * newest_var
        np.testing.assert_allclose(moved["moving"]["extend_norm"]["mean"], mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(moved["moving"]["extend_norm"]["var"], var, rtol=1e-4)


@pytest.mark.parametrize("form", ["thesis", "released"])
def test_rows_of_the_reasoning_change_what_they_say(form):
    """A direction alone updates its code as both do and passes the other; sharing is one graph convolution."""
    a, b = noise(2, 3, 4, 6), noise(2, 3, 4, 6, seed=2)
    both = GraphReasoning(states=5, nodes=3, form=form)
    variables = drawn(both, a, b)
    full, _ = run(both, variables, a, b)
    for directions, place in (("b2a", 0), ("a2b", 1)):
        one = both.clone(directions=directions)
        names = jax.eval_shape(one.init, jax.random.key(0), a, b)["params"]
        kept = variables | {"params": {name: variables["params"][name] for name in names}}
        assert f"gcn_{'ba'[place]}" not in names and f"gcn_{'ab'[place]}" in names
        found, _ = run(one, kept, a, b)
        np.testing.assert_array_equal(found[1 - place], (a, b)[1 - place])
        np.testing.assert_allclose(found[place], full[place], rtol=1e-5, atol=1e-5)
        assert np.abs(found[place] - (a, b)[place]).max() > 0.1
    params = variables["params"]
    rest = {name: value for name, value in params.items() if not name.startswith("gcn")}
    shared = run(both.clone(share_gcn=True), variables | {"params": rest | {"gcn": params["gcn_a"]}}, a, b)[0]
    equal = run(both, variables | {"params": params | {"gcn_b": params["gcn_a"]}}, a, b)[0]
    np.testing.assert_allclose(shared, equal, rtol=1e-5, atol=1e-5)
    assert np.abs(shared[1] - full[1]).max() > 0.1


def sigmoid(x):
    return 1 / (1 + np.exp(-np.float64(x)))


def test_thesis_block_by_its_formula():
    """The reasoned codes make the gate, A * F + F the image code, and it with the codes as they came the next ones."""
    image, pose = noise(2, 4, 5, 8), noise(2, 4, 5, 8, seed=2)
    block = InteractionBlock(states=5, nodes=3, dropout=0.0)
    variables = drawn(block, image, pose)
    (found_image, found_pose), _ = run(block, variables, image, pose)

    def part(module, name, *x):
        return run(module, {key: tree[name] for key, tree in variables.items() if name in tree}, *x)[0]

    reasoned = part(GraphReasoning(5, 3), "graph", *np.split(pose, 2, -1))
    gate = part(PoseStream(8, dropout=0.0, norm_last=False), "gate", np.concatenate(reasoned, -1))
    expected = sigmoid(gate) * image + image
    np.testing.assert_allclose(found_image, expected, rtol=1e-4, atol=1e-5)
    codes = part(PoseStream(8, dropout=0.0), "codes", np.float32(np.concatenate([expected, pose], -1)))
    np.testing.assert_allclose(found_pose, codes, rtol=1e-3, atol=1e-4)
    last = block.clone(last=True)
    assert set(jax.eval_shape(last.init, jax.random.key(0), image, pose)["params"]) == {"graph", "gate"}
    assert set(variables["params"]) == {"graph", "gate", "codes"}


def small(**options):
    return BiGraphGenerator(**dict(width=4, blocks=1, dropout=0.0) | options)


def test_thesis_encodes_each_pose_by_one_encoder():
    """Shared weights and running statistics, statistics of each pose's own batch."""
    source, poses = noise(2, 16, 8, 3), noise(2, 16, 8, 4, seed=2)
    module = small(aif="none")
    variables = drawn(module, source, poses)
    encoder = PoseEncoder(2)
    params, moving = (variables[part]["pose_encoder"] for part in ("params", "moving"))
    codes = []
    for pose in np.split(poses, 2, -1):
        code, moved = run(encoder, {"params": params, "moving": moving}, pose, mode=Mode())
        moving = moved["moving"]
        codes.append(code)
    apply = lambda variables: module.apply(
        variables, source, poses, Mode(), capture_intermediates=True, mutable=["moving", "intermediates"])
    _, state = jax.jit(apply)(variables)
    found = state["intermediates"]["pose_encoder"]["__call__"][0]
    np.testing.assert_allclose(found, np.concatenate(codes), rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(jax.tree.leaves(state["moving"]["pose_encoder"]), jax.tree.leaves(moving), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_released_form_without_reasoning_is_patn():
    """Row B1: the same parameters by the same names, and the same picture."""
    source, poses = noise(2, 16, 8, 3), noise(2, 16, 8, 4, seed=2)
    module, patn = small(form="released", bgr="none", aif="none", blocks=2), PATNGenerator(4, 2, dropout=0.0)
    variables = drawn(patn, source, poses)
    assert jax.tree.map(np.shape, drawn(module, source, poses)) == jax.tree.map(np.shape, variables)
    (found, _), (expected, _) = (run(net, variables, source, poses) for net in (module, patn))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fusion():
    """A convex mask; or two linear maps that nothing bounds, clipped where pixels are made and in a sample."""
    x, source, made = noise(2, 4, 2, 16), np.tanh(noise(2, 16, 8, 3)), np.tanh(noise(2, 16, 8, 3, seed=2))
    mask = ImageFusion("mask", 4)
    variables = drawn(mask, x, source, made)
    mixed, of_source, of_made = run(mask, variables, x, source, made)[0]
    assert of_source.shape == (2, 16, 8, 1) and 0 < of_source.min() < of_source.max() < 1
    np.testing.assert_allclose(mixed, of_source * source + (1 - of_source) * made, atol=1e-6)
    np.testing.assert_allclose(of_made, 1 - of_source, atol=1e-6)

    linear = ImageFusion("linear2", 4)
    variables = drawn(linear, x, source, made)
    assert set(variables["params"]) == {"up_0", "up_1", "head"} and "moving" not in variables
    mixed, of_source, of_made = run(linear, variables, x, source, made)[0]
    np.testing.assert_allclose(mixed, of_source * source + of_made * made, rtol=1e-5, atol=1e-5)
    _, twice, _ = run(linear, variables, 2 * x, source, made)[0]
    np.testing.assert_allclose(twice, 2 * of_source, rtol=1e-4, atol=1e-5)
    mixed = run(linear, variables, 4 * x, source, made)[0][0]
    assert mixed.max() > 1.5 and mixed.min() < -1.5
    pixels = to_uint8(mixed)
    assert (pixels[mixed >= 1] == 255).all() and (pixels[mixed <= -1] == 0).all()


@pytest.mark.parametrize("form, aif", [("thesis", "mask"), ("released", "linear2"), ("thesis", "none")])
def test_looks(form, aif):
    """What the fusion mixed, and its maps as pictures: black is 0, white is 1."""
    source, poses = np.tanh(noise(2, 16, 8, 3)), noise(2, 16, 8, 4, seed=2)
    module = small(form=form, aif=aif, bgr="none")
    variables = drawn(module, source, poses)
    (picture, seen), _ = run(module, variables, source, poses, details=True)
    assert module.looks == (() if aif == "none" else ("intermediate", "source_attention", "generated_attention"))
    assert set(seen) == set(module.looks)
    if aif == "mask":
        of_source = (seen["source_attention"] + 1) / 2
        np.testing.assert_allclose(picture, of_source * source + (1 - of_source) * seen["intermediate"], atol=1e-5)
        np.testing.assert_allclose(seen["generated_attention"], -seen["source_attention"], atol=1e-5)
    assert all(np.abs(one).max() <= 1 and one.shape[:3] == (2, 16, 8) for one in seen.values())


@pytest.mark.parametrize("form, aif", [("thesis", "mask"), ("released", "linear2")])
def test_half_precision_keeps_parameters_and_pictures_in_float32(form, aif):
    module = small(form=form, aif=aif, dtype="bfloat16")
    inputs = [jax.ShapeDtypeStruct((1, 16, 8, channels), np.float32) for channels in (3, 4)]
    made, variables = jax.eval_shape(lambda *x: module.init_with_output(jax.random.key(0), *x), *inputs)
    assert {leaf.dtype.name for leaf in jax.tree.leaves((made, variables))} == {"float32"}
    block = InteractionBlock(form, dtype="bfloat16")
    codes = [jax.ShapeDtypeStruct((1, 4, 2, 8), "bfloat16")] * 2
    out, _ = jax.eval_shape(lambda *x: block.init_with_output(jax.random.key(0), *x, QUIET), *codes)
    assert {code.dtype.name for code in out} == {"bfloat16"}
