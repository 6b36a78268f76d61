"""A song and a photo to a dance video, by the two stages of DanceGAN (Tang, thesis ch. 7).

    python -m experiments.dance --music=song.wav --person=photo.png --skeletons=RUN1 --video=RUN2 --out=dance.mp4

RUN1 is a run of `dance_skeleton` and RUN2 one of `dance_video`. The song may be of any length and any format that
soundfile or ffmpeg reads, the photo of any size: its middle is taken in the shape of the pictures of RUN2, with the
person about as tall and where the dancers of RUN2's training were. Beside the video come a still sheet, dance.png,
and the video of the skeletons with the same sound, dance_skeletons.mp4. Without --person and --video these alone
are made. --dances=3 makes three dances of one song, dance_1.mp4 to dance_3.mp4, of the seeds --seed, --seed + 1,
...

The videos fit `tools/user_study.py`: skeletons for the study of thesis Table 7.1, dances for that of Table 7.3.
"""

import argparse
import sys
from pathlib import Path

from gganjax import command, platform
from gganjax.errors import InputError


def arguments(argv: list[str]) -> argparse.Namespace:
    """Read the command line; argparse ends the program with status 2 for one that it does not understand."""
    parser = argparse.ArgumentParser(prog="python -m experiments.dance", description=__doc__.splitlines()[0])
    parser.add_argument("--music", required=True, help="the song: a sound file, or a video with sound")
    parser.add_argument("--skeletons", required=True, metavar="RUN", help="run folder of dance_skeleton")
    parser.add_argument("--person", help="a photo of the person who shall dance")
    parser.add_argument("--video", metavar="RUN", help="run folder of dance_video")
    parser.add_argument("--out", default="dance.mp4", help="the video to write; default: dance.mp4")
    parser.add_argument("--dances", type=int, default=1, help="how many dances of the song; default: 1")
    parser.add_argument("--seed", type=int, default=0, help="of the first dance; default: 0")
    return parser.parse_args(argv)


def run(asked: argparse.Namespace) -> list[Path]:
    """Make the videos and the sheet; returns the files, the sheet last.

    Raises:
      InputError: the song, the photo or a run cannot be used; nothing is computed before all of them are read.
    """
    out = Path(asked.out)
    if out.suffix.lower() != ".mp4":
        raise InputError(f"--out must end in .mp4, found {out}.")
    if asked.dances < 1:
        raise InputError(f"--dances must be at least 1, found {asked.dances}.")
    if asked.seed < 0:
        raise InputError(f"--seed must not be negative, found {asked.seed}.")
    if bool(asked.person) != bool(asked.video):
        given, missing = ("--person", "--video") if asked.person else ("--video", "--person")
        raise InputError(f"{given} is given without {missing}: a video needs both, skeletons alone need neither.")
    from gganjax import dancing, use

    song = dancing.read_song(asked.music)
    skeletons = dancing.check(use.load(asked.skeletons), ("audio",), "--skeletons", asked.skeletons)
    video = person = None
    if asked.video:
        video = dancing.check(use.load(asked.video), ("source", "skeletons"), "--video", asked.video)
        person = dancing.read_person(asked.person, video)
    written, shown = [], {}
    for number in range(asked.dances):
        name = out.stem if asked.dances == 1 else f"{out.stem}_{number + 1}"
        poses = dancing.dance(skeletons, song, seed=asked.seed + number)
        drawn = dancing.draw(video or skeletons, poses)
        written.append(out.with_name(f"{name}_skeletons.mp4"))
        dancing.write(written[-1], drawn, song)
        shown[f"skeletons {number + 1}"] = drawn
        if video:
            filmed = dancing.film(video, person, drawn)
            written.append(out.with_name(f"{name}.mp4"))
            dancing.write(written[-1], filmed, song)
            shown[f"dance {number + 1}"] = filmed
    written.append(out.with_suffix(".png"))
    dancing.sheet(shown, person).save(written[-1])
    return written


def main(argv: list[str]) -> int:
    """Run one command line; returns the exit status."""
    asked = arguments(argv)
    try:
        platform.prepare(compilation_cache=True)
        written = run(asked)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"wrote {', '.join(map(str, written))}")
    return 0


if __name__ == "__main__":
    command.show_messages()
    sys.exit(main(sys.argv[1:]))
