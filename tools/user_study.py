"""Builds user studies that run in a browser, from disk or from any static host, and scores their answers.

    python tools/user_study.py build pairs OUT --real=DIR --generated=DIR
    python tools/user_study.py build r2g OUT --real=DIR --generated=DIR
    python tools/user_study.py build preference OUT --method=ours=DIR --method=other=DIR --condition=DIR
    python tools/user_study.py build triplets OUT --method=A=DIR --method=B=DIR --method=C=DIR --condition=DIR
    python tools/user_study.py build fourway OUT --method=A=DIR --method=B=DIR --method=C=DIR --method=D=DIR
    python tools/user_study.py score OUT/key.json ANSWERS.csv [...] [--json=FILE]

Publish OUT/study and keep OUT/key.json: it says which picture is real and which method made which. Every participant
opens index.html?sitting=N with another N, which stands for one random order, and sends back the CSV file that the
page saves. Build one folder for each algorithm: a sitting shows one algorithm.

Pictures are matched by file name and encoded anew, so that names, metadata, lengths and times of the published files
tell nothing. What remains: traces in the pixels themselves, such as those of JPEG; videos are copied as they are, so
their lengths and metadata may differ between methods; whoever owns the originals can recognize them; and the truth
of practice trials with feedback is in the page, whose pictures are never scored.
"""

import argparse
import json
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from studies import scoring
from studies.build import build
from studies.protocols import GENERATED, PROTOCOLS, REAL

from gganjax.errors import InputError


def size(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT."""
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 256x256, found '{text}'")
    return int(match[1]), int(match[2])


def method(text: str) -> tuple[str, str]:
    """Read NAME=DIR."""
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise argparse.ArgumentTypeError(f"expected NAME=DIR, found '{text}'")
    return name, folder


def study_name(text: str) -> str:
    """Read a name that can be part of a file name."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
        raise argparse.ArgumentTypeError(f"expected up to 64 letters, digits, - and _, found '{text}'")
    return text


def add_build(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add what `build KIND` takes."""
    protocol = PROTOCOLS[kind]
    parser.add_argument("out", help="a new folder: OUT/study to publish, OUT/key.json to keep")
    if kind in ("pairs", "r2g"):
        parser.add_argument("--real", required=True, metavar="DIR", help="real pictures")
        parser.add_argument("--generated", "--fake", required=True, metavar="DIR", help="pictures of one algorithm")
    else:
        parser.add_argument("--method", action="append", type=method, default=[], metavar="NAME=DIR",
                            help=f"{protocol.options} times: a method and the folder of its results")  # fmt: skip
    if kind == "pairs":
        parser.add_argument("--pairing", choices=("name", "random"), default="name", help="what makes a pair")
    if protocol.condition:
        parser.add_argument("--condition", required=True, metavar="DIR", help="what the results were made from")
    for name, reader, default, text in (
        ("practice", int, protocol.practice, "practice trials, not scored"),
        ("scored", int, None, f"scored trials; default: {protocol.scored}{'' if protocol.fixed else ' at most'}"),
        ("checks", int, 0, "attention checks, in addition to the trials"),
        ("sittings", int, protocol.sittings, "orders prepared, one a participant"),
        ("questions", int, 500, "different questions in the study at most"),
        ("seconds", float, protocol.seconds, "display time, 0 until the answer"),
        ("pause", float, 0.5, "seconds between trials"),
        ("feedback", float, 1.5, "seconds for which practice tells the truth"),
        ("resize", size, None, "WIDTHxHEIGHT in pixels that all pictures are resampled to"),
        ("display", size, None, "WIDTHxHEIGHT in pixels on the screen"),
        ("name", study_name, None, "of the study; participants see it in the name of their file"),
        ("seed", int, None, "of everything random; drawn by the system, because who guesses it knows what is real"),
    ):
        if (name != "feedback" or protocol.feedback) and (name != "resize" or not protocol.video):
            shown = "" if default is None else f"; default: {default}"
            parser.add_argument(f"--{name}", type=reader, default=default, help=text + shown)


def build_command(options: argparse.Namespace) -> None:
    """Build a study and tell where it is."""
    given = vars(options) | {}
    kind, output = given.pop("kind"), given.pop("out")
    del given["command"]
    if kind in ("pairs", "r2g"):
        sources = {REAL: given.pop("real"), GENERATED: given.pop("generated")}
    else:
        methods = given.pop("method")
        sources = dict(methods)
        if len(sources) < len(methods):
            raise InputError(f"two methods have one name: found {', '.join(name for name, _ in methods)}.")
    key, alone = build(kind, output, sources, **given)
    if alone:
        names = [*map(str, alone[:5]), *["..."][: len(alone) > 5]]
        print(f"{len(alone)} files without a counterpart are left out: {', '.join(names)}")
    count, trials = len(key["sittings"]), len(key["sittings"][0])
    print(f"study {key['study']}: {count} sittings of {trials} trials, {len(key['media'])} files")
    print(f"publish: {output}/study, opened as index.html?sitting=1 to index.html?sitting={count}")
    print(f"keep: {output}/key.json")


def score_command(options: argparse.Namespace) -> None:
    """Score a study, print a line a score, and write all of it if asked to."""
    key, answers = scoring.read_key(options.key), scoring.read_answers(options.answers)
    result = scoring.score(key, answers, most_failed_checks=options.most_failed_checks, seed=options.seed)
    for sentence in result["left_out"]:
        print(f"left out: {sentence}")
    print(f"study {result['study']} ({result['protocol']}): {result['participants']} participants, "
          f"median response time {result['median_ms']:.0f} ms")  # fmt: skip
    for entry in result["scores"]:
        line = f"{entry['question']:10s} {entry['group']:10s} {entry['name']:16s} {entry['percent']:6.2f} %  "
        line += f"({entry['count']} of {entry['total']})"
        if entry["interval"]:
            line += "  95 % bootstrap {:.2f} to {:.2f}".format(*entry["interval"]) + f"  +- {entry['std']:.2f}"
        if "wilson" in entry:
            line += "  Wilson {:.2f} to {:.2f}".format(*entry["wilson"])
        if "p" in entry:
            line += f"  binomial p {entry['p']:.3g}"
        print(line)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def main(arguments=None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    kinds = commands.add_parser("build", help="make the folder of a study").add_subparsers(dest="kind", required=True)
    for kind, protocol in PROTOCOLS.items():
        add_build(kinds.add_parser(kind, help=protocol.summary), kind)
    scores = commands.add_parser("score", help="score the answers of a study")
    scores.add_argument("key", help="the key.json of the study")
    scores.add_argument("answers", nargs="+", help="CSV files of participants, or folders of them")
    scores.add_argument("--most_failed_checks", type=int, metavar="N",
                        help="leave out sittings that failed more than N attention checks")  # fmt: skip
    scores.add_argument("--seed", type=int, default=0, help="of the bootstrap; default: 0")
    scores.add_argument("--json", metavar="FILE", help="write the scores to a file")
    options = parser.parse_args(arguments)
    try:
        {"build": build_command, "score": score_command}[options.command](options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
