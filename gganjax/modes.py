"""What the entry point can be asked for: one function a mode, each returns the exit status."""

import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

from gganjax import checkpoint, class_page, core, dance_page, data, devices, logs, methods, overlay, report, settings
from gganjax.command import Command
from gganjax.data import settings as data_settings
from gganjax.errors import InputError
from gganjax.train import fixed_samples, make_plan, train

MOST = 12  # names of a list that are printed


def run(asked: Command) -> int:
    """Do what the command line asks for."""
    if asked.flags["coordinator"]:
        count, index = asked.flags["processes"], asked.flags["process"]
        if not 0 <= index < count:
            raise InputError(f"--process must be from 0 to {count - 1} (--processes={count}), found {index}.")
        devices.initialize(asked.flags["coordinator"], count, index)
    elif asked.flags["processes"] != 1:
        raise InputError("--processes needs --coordinator=host:port, the address of process 0.")
    modes = {"train": _train, "evaluate": _evaluate, "sample": _sample, "check": _check, "describe": _describe}
    return modes[asked.mode](asked)


def _train(asked: Command) -> int:
    config = asked.config.to_dict()
    summary = train(config, asked.workdir)
    if jax.process_index() != 0:
        return 128 + summary["signal"] if summary["signal"] else 0
    from gganjax import evaluate

    if summary["signal"]:
        report.write(asked.workdir)
        print(f"stopped by {logs.signal_name(summary['signal'])} and saved at step {summary['step']} of {summary['total']}; "
              f"the same command continues:\n  {_this_command()}")
        return 128 + summary["signal"]
    if config["evaluate_after"]:
        _print_results(evaluate.run(asked.workdir))
    page = report.write(asked.workdir)
    print(f"trained to step {summary['step']} in {summary['seconds']:.0f} s; look at {page}")
    return 0


def _evaluate(asked: Command) -> int:
    from gganjax import evaluate

    config = None if asked.config is None else asked.config.to_dict()
    found = evaluate.run(asked.workdir, config=config, output=asked.flags["output"], extra=asked.flags["metrics"])
    _print_results(found)
    print(f"look at {report.write(asked.workdir)}")
    return 0


def _sample(asked: Command) -> int:
    from gganjax import sample

    if not asked.flags["images"]:
        raise InputError("--images is missing: mode sample needs a picture or a folder of pictures to translate.")
    names = ("images", "keypoints", "source_keypoints", "skeletons", "classes", "domains", "instances", "styles",
             "output")
    written = sample.run(asked.workdir, **{name: asked.flags[name] for name in names})
    print(f"wrote {len(written)} files, the last one is {written[-1]}")
    return 0


def _describe(asked: Command) -> int:
    config = asked.config.to_dict()
    method = methods.load(config["method"], config["options"])
    settings.check_size(config, method)
    counts = parameter_counts(config, method)
    width = max(len(name) for name in counts)
    for name, count in counts.items():
        print(f"{name:<{width}}  {count:>13,}{'  frozen' if name in method.frozen else ''}")
    trained = sum(count for name, count in counts.items() if name not in method.frozen)
    print(f"{'total':<{width}}  {trained:>13,}  trained" + f" ({sum(counts.values()):,} with frozen)" * bool(method.frozen))
    return 0


def _check(asked: Command) -> int:
    config = asked.config.to_dict()
    settings.check_values(config)
    settings.check_optimizers(config)
    method = methods.load(config["method"], config["options"])
    settings.check(config, method, devices=devices.count())
    sources = {split: data.open_source(config["data"], split) for split in ("train", "test")}
    for source in sources.values():
        settings.check_domains(config, method, source)
    core.check_fields(method, fixed_samples(sources["test"], config, fields=method.fields))
    for split, source in sources.items():
        print(f"data, {split} split")
        _print_facts(source.describe())
    points = overlay.write_check(asked.workdir / "check.html", sources, data_settings.resolve(config["data"]))
    if points:
        print(f"key points drawn on pictures: look at {points}")
    classes = class_page.write_check(asked.workdir / "check.html", sources, method.fields)
    if classes:
        print(f"classes and their colors: look at {classes}")
    dances = dance_page.write_check(asked.workdir / "check.html", sources)
    if dances:
        print(f"dances, their styles and beats: look at {dances}")
    print(f"method {method.name}: batch fields")
    for name, field in method.fields.items():
        print(f"  {name:<24} {list(field.shape)}, values {field.low:g} to {field.high:g}")
    plan = make_plan(config, method, len(sources["train"]))
    print("players, in the order of their updates")
    for name, player in method.players.items():
        turn = "every step" if player.every == 1 else f"every {player.every} steps"
        stage = "" if (player.first, player.last) == (0, None) else f", steps {player.first} to {player.last or plan.total}"
        often = "" if player.repeat == 1 else f", {player.repeat} updates in a row"
        print(f"  {name:<24} {turn}{stage}{often}: moves {', '.join(player.nets)}")
        print(f"    terms: {', '.join(f'{term} x {weight:g}' for term, weight in config['weights'][name].items())}")
        one = config["optimizers"][name]
        places = sorted({0, plan.total // 4, plan.total // 2, 3 * plan.total // 4, max(plan.total - 1, 0)})
        rates = ", ".join(f"{float(plan.rates[name](place)):.3g} at {place}" for place in places)
        print(f"    {one['name']}, schedule {one['schedule']['name']}: learning rate {rates}")
    print("networks")
    for name, count in parameter_counts(config, method).items():
        print(f"  {name:<24} {count:>13,} parameters{', frozen' if name in method.frozen else ''}")
    if looks := getattr(method, "looks", ()):
        print(f"further columns of the sample grid, for config.sample_columns: {', '.join(looks)}")
    print(f"length: {plan.total} steps of {config['batch_size']} pairs, {plan.steps_per_epoch} steps an epoch")
    found = checkpoint.complete(asked.workdir)
    if config["start_from"] and not found:
        print(f"begins with the networks of {config['start_from']}, step {checkpoint.read_meta(config['start_from'])['step']}")
    print(f"run folder: {asked.workdir}, " + (f"would continue after step {found[0].name}" if found else "new"))
    warnings = sum(len(source.describe().get("warnings", ())) for source in sources.values())
    print(f"nothing else is wrong than the {warnings} warnings about the data" if warnings else "nothing is wrong")
    return 0


def parameter_counts(config: dict[str, Any], method: core.Method) -> dict[str, int]:
    """Number of parameters of every network; nothing is computed and no weight file read."""
    shapes = core.shapes(method, settings.example(config, method))
    return {net: sum(int(np.prod(x.shape)) for x in jax.tree.leaves(shapes[net])) for net in method.nets}


def _print_facts(facts: dict[str, Any], indent: str = "  ") -> None:
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            print(f"{indent}{name.replace('_', ' ')}")
            _print_facts(value, indent + "  ")
        elif isinstance(value, (list, tuple, dict)):
            more = f" and {len(value) - MOST:,} more" if len(value) > MOST else ""
            print(f"{indent}{name.replace('_', ' '):<24} {', '.join(map(str, [*value][:MOST])) or 'none'}{more}")
        else:
            print(f"{indent}{name.replace('_', ' '):<24} {value}")


def _print_results(found: dict[str, Any]) -> None:
    shown = lambda number: "inf" if number is None else f"{number:.4g}"
    beside = found.get("beside", "copying the source")
    for key, value in found["mean"].items():
        floor = f"   ({beside}: {shown(found['copy_source'][key])})" if key in found["copy_source"] else ""
        print(f"{key:<24} {shown(value):>8}{floor}")
    for name, part in found.get("pictures", {}).items():
        numbers = [f"{key} {value:.4g}" for key, value in part["mean"].items() if value is not None]
        print(f"  {name.replace('_', ' ')}: {', '.join(numbers)}")
    for domain, part in found.get("domains", {}).items():
        numbers = [f"{key} {value:.4g}" for key, value in part["mean"].items() if value is not None]
        print(f"  to {domain}: {', '.join(numbers)}")


def _this_command() -> str:
    return " ".join(["python -m experiments.run", *sys.argv[1:]]) if Path(sys.argv[0]).stem == "run" else " ".join(sys.argv)
