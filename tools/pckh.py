"""PCKh of generated persons: the share of joints found where the target has them, in half heads (see gganjax/metrics).

    python -m experiments.run --config=experiments/NAME.py --workdir=RUN --mode=evaluate --config.evaluate.images=100000
    guides/bin/python tools/extract_guides.py RUN/results/images --kind=pose --out=results.json
    guides/bin/python tools/extract_guides.py ROOT/test --kind=pose --out=targets.json
    python tools/pckh.py ROOT/test_pairs.csv targets.json results.json

TARGETS holds the key points of the pictures that the pairs name, RESULTS those of what was generated, in any format
that a data folder may have (JSON, a table name:keypoints_y:keypoints_x). A result is named as evaluation names it,
SOURCE__TARGET, or as the published code of the person-image systems, SOURCE___TARGET_vis; pairs without a result do
not count. A result in which nothing was found, or listed under "poor", counts as all joints missing. Beside the
result stands the floor: the joints of the source, as if it were returned unchanged.

Both files must come from the same estimator and be of pictures of one size. The published numbers are of another
estimator (a Keras port of the 2017 multi-person model), so they are not comparable with those of extract_guides.py.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from gganjax.data import keypoints, pose_maps
from gganjax.data.folders import pair_name
from gganjax.data.pairs import read_pairs
from gganjax.errors import InputError
from gganjax.metrics import PCKh


def score(pairs: Path, targets: Path, results: Path) -> dict:
    """Compute PCKh of the results and of the sources.

    Returns:
      pckh, copy_source (shares, 0 to 1), joints, pairs (that have a result), skipped (without a head), not_found
      (results without any joint).

    Raises:
      InputError: a file that cannot be read, a target without key points, or no result of any pair.
    """
    size, wanted = keypoints.read_figures(targets, parts="body")
    other, found = keypoints.read_figures(results, parts="body")
    if size and other and size != other:
        raise InputError(
            f"{targets} is of pictures of {size[1]}x{size[0]} and {results} of {other[1]}x{other[0]}; expected one size.")
    stems = {name.rpartition(".")[0].replace("/", "_") or name: figure for name, figure in found.items()}
    measures, count, lost = (PCKh(), PCKh()), 0, 0
    for source, target in read_pairs(pairs):
        names = (pair_name(source, target), f"{source}___{target}_vis", f"{_stem(source)}___{_stem(target)}_vis")
        name = next((name for name in names if name in stems), None)
        if name is None:
            continue
        for side in (source, target):
            if side not in wanted:
                raise InputError(f"{targets} holds no key points of {side}, which {pairs} names.")
        count, lost = count + 1, lost + (not stems[name])
        for measure, figure in zip(measures, (stems[name], wanted[source]), strict=True):
            measure.add(_joints(figure)[None], _joints(wanted[target])[None])
    if not count:
        raise InputError(f"{results} holds no result of a pair of {pairs}: expected names such as SOURCE__TARGET.png.")
    result, floor = measures
    return dict(pckh=result.result(), copy_source=floor.result(), joints=result.joints, pairs=count, skipped=result.skipped,
                not_found=lost)  # fmt: skip


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _joints(figure: list) -> np.ndarray:
    return pose_maps.from_figure(figure[0]) if figure else np.full((pose_maps.JOINTS, 2), -1)


def main(arguments=None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path, help="the list of test pairs")
    parser.add_argument("targets", type=Path, help="key points of the pictures that it names")
    parser.add_argument("results", type=Path, help="key points of the generated pictures")
    parser.add_argument("--json", type=Path, help="also write the numbers here")
    options = parser.parse_args(arguments)
    try:
        found = score(options.pairs, options.targets, options.results)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"PCKh {found['pckh']:.4f} (sources unchanged: {found['copy_source']:.4f}), {found['joints']} joints of"
          f" {found['pairs']} pairs, {found['skipped']} skipped for want of a head, {found['not_found']} results without a body")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
