"""What each protocol shows and asks, and the random order of the trials of every sitting.

The counts and times are those that the papers state; where they state none, the comment says so.
"""

from typing import NamedTuple

import numpy as np

from gganjax.errors import InputError

REAL, GENERATED = "real", "generated"


class Protocol(NamedTuple):
    """One kind of study.

    Attributes:
        summary: one line for the command line.
        title: heading of the page.
        instructions: paragraphs that a participant reads first.
        questions: name -> text; every trial asks all of them, one after the other.
        options: number of pictures or videos side by side.
        practice, scored: trials of a sitting; practice is left out of the scores.
        sittings: orders prepared, one for each participant.
        answers: words to answer with; where there are none, one of the options is chosen.
        feedback: whether practice tells the truth after each answer.
        seconds: display time, after which the place of the picture is blank; 0 shows it until the answer.
        condition: whether a picture or video that all options were made from is shown with them.
        video: whether options are videos, copied as they are, or pictures, encoded anew.
        sound: whether videos are played one at a time by the participant, with sound; otherwise all run silently.
        fixed: whether a sitting must have all of its trials; otherwise too few questions make it shorter.
        background: name -> text of the answers to a question about the participant, asked before the first trial.
        about: text of that question.
    """

    summary: str
    title: str
    instructions: tuple[str, ...]
    questions: dict[str, str]
    options: int
    practice: int
    scored: int
    sittings: int
    answers: tuple[str, ...] = ()
    feedback: bool = False
    seconds: float = 0.0
    condition: bool = False
    video: bool = False
    sound: bool = False
    fixed: bool = True
    background: dict[str, str] = {}
    about: str = ""

    @property
    def sides(self) -> tuple[str, ...]:
        """The names of the positions to choose: of the options, or the words to answer with."""
        if self.answers:
            return self.answers
        return ("left", "right") if self.options == 2 else tuple(str(i + 1) for i in range(self.options))


PROTOCOLS = {
    # Thesis section 2.4 and C2GAN, after pix2pix: 10 practice and 40 scored pairs, 50 participants an algorithm.
    # The display time of 1 s is that of pix2pix; the thesis does not restate it.
    "pairs": Protocol(
        "real and generated side by side; which one is real?",
        "Which picture is real?",
        (
            "You will see pairs of pictures. In each pair one picture is real and the other was made by a computer.",
            "Choose the one that you believe is real. {shown}Take the time you need to answer.",
            "The first {practice} pairs are practice: you are told whether you were right. After them you are not.",
        ),
        {"real": "Which picture is real?"},
        options=2, practice=10, scored=40, sittings=50, feedback=True, seconds=1.0),
    # PG2: 55 real and 55 generated pictures in random order, the first 10 not scored, 30 participants, 1 s.
    "r2g": Protocol(
        "single pictures; real or generated?",
        "Real or generated?",
        (
            "You will see one picture after another. Some are real and some were made by a computer.",
            "{shown}Decide at once whether the picture is real or generated.",
            "The first {practice} pictures are practice and do not count.",
        ),
        {"real": "Real or generated?"},
        options=1, practice=10, scored=100, sittings=30, answers=(REAL, GENERATED), seconds=1.0),
    # GauGAN: 500 questions, each answered by 5 workers, unlimited time. 50 sittings of 50 trials are as many answers.
    "preference": Protocol(
        "an input and the results of two methods; which one looks more like a photo of it?",
        "Which result is better?",
        (
            "You will see an input, and two pictures that were made from it.",
            "{shown}Choose the picture that looks more like a photo of the input. Take the time you need.",
        ),
        {"better": "Which picture looks more like a photo of the input?"},
        options=2, practice=0, scored=50, sittings=50, condition=True, fixed=False),
    # Thesis table 7.3: 20 triplets, 30 participants, unlimited time.
    "triplets": Protocol(
        "a skeleton video and the videos of three methods; which one is most realistic?",
        "Which video is most realistic?",
        (
            "You will see a video of a moving skeleton as the input, and three videos that were made from it.",
            "{shown}Choose the video that is most realistic. Take the time you need.",
        ),
        {"realistic": "Which video is most realistic?"},
        options=3, practice=0, scored=20, sittings=30, condition=True, video=True, fixed=False),
    # Thesis table 7.1: two questions, a question about experience first, unlimited time; the counts are not stated.
    "fourway": Protocol(
        "four dance videos with music and two questions, after a question about dance experience",
        "Which dance is best?",
        (
            "You will see four videos of dancing skeletons at a time. Please turn the sound on and play each of them.",
            "{shown}Two questions are asked about every four videos. Take the time you need.",
            "The skeletons may be drawn in two styles. Please judge the dance and not the drawing.",
        ),
        {
            "realism": "Which dance is most realistic, regardless of the music?",
            "match": "Which dance matches the style of the music best?",
        },
        options=4, practice=0, scored=20, sittings=30, video=True, sound=True, fixed=False,
        background={"Expert": "Yes", "Non-Expert": "No"}, about="Do you have experience in dance?"),
}


class Question(NamedTuple):
    """What one trial can show: names of media, the options in the order of the methods, and their common condition."""

    options: tuple[str, ...]
    condition: str | None = None


def draw_sittings(
    protocol: Protocol,
    pools: list[list[Question]],
    truth: dict[str, str],
    *,
    practice: int,
    scored: int,
    checks: int,
    sittings: int,
    seed: int,
) -> list[list[dict]]:
    """Draw the trials of every sitting, in order.

    Args:
        protocol: what is shown.
        pools: questions; each sitting takes equally many from every pool, without repetition, and over the sittings
            every question of a pool is used equally often, or once more. Where practice gives feedback, its questions
            are the first of the one pool, and are never scored in any sitting: their truth is in the page.
        truth: name of a medium -> what it is; told for practice with feedback alone.
        practice, scored: trials of a sitting.
        checks: attention checks, which come in addition, anywhere after the first scored trial.
        sittings: how many to draw.
        seed: of all orders.

    Returns:
        One list a sitting of trials, each with `options` (names from left to right), and where they apply
        `condition`, `practice`, `truth` (the position of the real one) and `check` (the position to answer).
    """
    kept = practice if protocol.feedback else 0
    needed = practice + scored if protocol.feedback else -(-(practice + scored) // len(pools))
    for pool in pools:
        if len(pool) < needed:
            raise InputError(
                f"a sitting of {practice} practice and {scored} scored trials needs {needed} different questions of a "
                f"kind, found {len(pool)}; --practice and --scored change the counts."
            )
    if (practice + scored) % len(pools):
        raise InputError(f"{practice} practice and {scored} scored trials cannot be half real and half generated.")
    used = [np.zeros(len(pool) - kept, int) for pool in pools]
    drawn = []
    for number in range(sittings):
        random = np.random.default_rng([seed, number])
        chosen = [pools[0][i] for i in random.permutation(kept)]
        share = (practice + scored - kept) // len(pools)
        rest = []
        for pool, counts in zip(pools, used, strict=True):
            least = np.lexsort((random.random(len(counts)), counts))[:share]
            counts[least] += 1
            rest += [pool[kept + i] for i in least]
        chosen += [rest[i] for i in random.permutation(len(rest))]
        trials = [_trial(random, question) for question in chosen]
        for trial in trials[:practice]:
            trial["practice"] = True
            if protocol.feedback:
                trial["truth"] = [truth[name] for name in trial["options"]].index(REAL)
        for _ in range(checks):
            check = {"options": [], "check": int(random.integers(len(protocol.sides)))}
            trials.insert(int(random.integers(practice + 1, len(trials) + 1)), check)
        drawn.append(trials)
    return drawn


def _trial(random: np.random.Generator, question: Question) -> dict:
    options = [question.options[i] for i in random.permutation(len(question.options))]
    return {"options": options} | ({"condition": question.condition} if question.condition else {})
