"""One training step of any method: a shared rollout, and players that move in turn."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax
from jax import lax

from gganjax import ema as averages
from gganjax.core import Batch, Call, Method, State, Terms, arrays, check_fields, prepare
from gganjax.layers import TRAIN


def train_step(method: Method, optimizers, weights, state: State, batch: Batch, *, acting: tuple[str, ...],
               ema: Mapping[str, float] | None = None, accumulate: int = 1, remat: bool = False,
               axis: str | None = None) -> tuple[State, Terms]:
    """One step of training: every acting player, in order, makes its update.

    The generators run once, at the parameters from before the step, and all players that are not `fresh` share
    that rollout through one vjp. A player's gradient is that of the sum of its weighted terms with its own
    networks free and all others as they are at its turn: the direct part plus what flows back through the
    rollout. Statistics of a network move only if its player acts.

    Args:
      method: the system.
      optimizers: optax transformations by player.
      weights: weights[player][term]; terms without weight, or with weight 0, are not computed.
      state: the state; its buffers may be donated.
      batch: this device's rows; uint8 pictures or float arrays.
      acting: the players whose turn it is (static), see `acting`.
      ema: decay of the parameter average by network.
      accumulate: the batch is cut into that many parts whose gradients are averaged: same result, less memory.
      remat: recompute the rollout in the backward pass instead of keeping its activations.
      axis: name of the device axis when mapped over devices; gradients, terms and statistics are averaged over it.

    Returns:
      The next state, and float32 scalars "player/term", "player/total" and "player/gradient_norm".
    """
    step_key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
    own_key = step_key if axis is None else jax.random.fold_in(step_key, lax.axis_index(axis))
    average = (lambda tree: tree) if axis is None else (lambda tree: lax.pmean(tree, axis))
    check_fields(method, batch)
    batch = prepare(arrays(batch), method.fields)
    rows = next(iter(batch.values())).shape[0]
    examples = rows * (1 if axis is None else lax.axis_size(axis))
    parts = jax.tree.map(lambda x: x.reshape(accumulate, rows // accumulate, *x.shape[1:]), batch)
    before, params, opt = state.params, dict(state.params), dict(state.opt)
    players = {name: method.players[name] for name in acting}
    moves = {net for player in players.values() for net in player.nets}
    named = {net: params[net] for net in params if net in moves}
    report: Terms = {}

    def calling(params, moving, pools, key):
        return Call(method, params, moving, pools=pools, key=key, mode=TRAIN._replace(axis=axis), examples=examples,
                    step=state.step)

    def moved(old, new):
        return {net: new[net] if net in moves else tree for net, tree in old.items()}

    def roll(moving, part, key):
        """Rollout at the parameters from before the step: images, its vjp, the statistics after it, networks used."""
        used = set()

        def run(free, part):
            call = calling(before | free, moving, {}, step_key)
            out = method.rollout(key, call, part)
            used.update(call.used)
            return out, moved(moving, call.moving)

        run = jax.checkpoint(run) if remat else run
        out, back, after = jax.vjp(lambda free: run(free, part), named, has_aux=True)
        return out, back, after, used

    def judge(name, player, params, part, shared, moving, pools, keys):
        """Gradients and terms of one player on one part of the batch, and what moved."""
        pool_key, key = keys
        own = {net: params[net] for net in player.nets}

        def total(own, out):
            call = calling(params | own, moving, pools, pool_key)
            if player.fresh:
                out = method.rollout(key, call, part)
            terms = player.loss(jax.random.fold_in(key, 1), call, part, out)
            terms = {term: terms[term].astype(jnp.float32) for term, weight in weights[name].items() if weight}
            objective = sum(weights[name][term] * value for term, value in terms.items())
            return objective, (terms | {"total": objective}, moved(moving, call.moving), call.pools)

        if player.fresh:
            grads, rest = jax.grad(total, has_aux=True)(own, None)
            return grads, rest
        out, back, _, used = shared
        if not used & set(player.nets):
            grads, rest = jax.grad(total, has_aux=True)(own, lax.stop_gradient(out))
            return grads, rest
        (grads, toward), rest = jax.grad(total, argnums=(0, 1), has_aux=True, allow_int=True)(own, out)
        through, = back(toward)
        return jax.tree.map(jnp.add, grads, {net: through[net] for net in player.nets}), rest

    moving, pools, shared = state.moving, state.pools, None
    sharing = any(not player.fresh for player in players.values())
    if sharing and accumulate == 1:
        shared = roll(moving, jax.tree.map(lambda x: x[0], parts), jax.random.fold_in(own_key, 0))
        moving = shared[2]

    first = True
    for index, (name, player) in enumerate(players.items()):
        for repeat in range(player.repeat):
            turn = (1 + list(method.players).index(name)) * 1000 + repeat

            def visit(carry, item, name=name, player=player, turn=turn, first=first):
                moving, pools = carry
                number, part = item
                # The rollout's key depends on the part alone: players that recompute it see the same images.
                keys = [jax.random.fold_in(jax.random.fold_in(k, turn), number) for k in (step_key, own_key)]
                together = shared
                if accumulate > 1 and not player.fresh:
                    together = roll(moving, part, jax.random.fold_in(jax.random.fold_in(own_key, 0), number))
                    moving = together[2] if first else moving
                grads, (terms, moving, pools) = judge(name, player, params, part, together, moving, pools, keys)
                return (moving, pools), (grads, terms)

            if accumulate == 1:
                carry, gathered = visit((moving, pools), (0, jax.tree.map(lambda x: x[0], parts)))
            else:
                carry, gathered = lax.scan(visit, (moving, pools), (jnp.arange(accumulate), parts))
                gathered = jax.tree.map(lambda x: x.mean(0), gathered)
            (moving, pools), (grads, terms) = carry, average(gathered)
            first = first and player.fresh
            own = {net: params[net] for net in player.nets}
            updates, opt[name] = optimizers[name].update(grads, opt[name], own)
            params |= optax.apply_updates(own, updates)
            report |= {f"{name}/{term}": value for term, value in terms.items()}
            report[f"{name}/gradient_norm"] = optax.tree.norm(grads)

    after = State(state.step + 1, state.key, params, average(moving), opt,
                  averages.update(state.ema, params, ema or {}, state.step), pools)
    return after, report
