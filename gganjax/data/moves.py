"""What the dancers of the embedded set do: for each style of `music.STYLES` moves, a key pose on every beat.

Angles are in degrees outward from straight down: 0 hangs, 90 is level, 180 points up, and what is negative crosses the
body. Lengths are in body heights.
"""

from typing import NamedTuple


class Pose(NamedTuple):
    """What a dancer does on one beat.

    Attributes:
      right_arm, left_arm: angles of upper arm and forearm.
      right_leg, left_leg: angles of thigh and shin.
      shift: of the hips to the left of the dancer, in body heights.
      lean: of the trunk towards the left of the dancer, in degrees.
      crouch: how deep, 0 to 1.
      jump: height, on the way to this pose, in body heights.
      turn: of the body to the left of the dancer, -1 to 1.
    """

    right_arm: tuple[float, float] = (14, 8)
    left_arm: tuple[float, float] = (14, 8)
    right_leg: tuple[float, float] = (6, 3)
    left_leg: tuple[float, float] = (6, 3)
    shift: float = 0.0
    lean: float = 0.0
    crouch: float = 0.0
    jump: float = 0.0
    turn: float = 0.0

    def mirrored(self) -> "Pose":
        """The same to the other side."""
        return Pose(self.left_arm, self.right_arm, self.left_leg, self.right_leg, -self.shift, -self.lean, self.crouch,
                    self.jump, -self.turn)  # fmt: skip


# By style the moves, a key pose for each beat of a bar.
MOVES = {
    "waltz": (
        (
            Pose((70, 95), (50, -5), (20, 14), (3, 1), -0.10, -5, 0.35, 0, -0.3),
            Pose((120, 150), (95, 100), (5, 2), (5, 2), -0.08, 0, 0, 0, 0),
            Pose((80, 70), (80, 70), (3, 1), (6, 3), -0.04, 2, 0.1),
        ),
        (
            Pose((40, 60), (40, 60), (4, -6), (14, 16), 0.06, 4, 0.3, 0, 0.8),
            Pose((150, 172), (150, 172), (4, 2), (4, 2), 0.05, 0, 0, 0, 0.2),
            Pose((95, 120), (95, 120), (5, 3), (5, 3), 0.02, 0, 0.1),
        ),
        (
            Pose((-20, -50), (100, 110), (8, 4), (24, 6), 0.05, 8, 0.2, 0, 0.5),
            Pose((60, 20), (150, 165), (4, 2), (10, 4), 0.09, 10, 0, 0, 0.3),
            Pose((30, 10), (60, 60), (5, 2), (4, 2), 0.03, 3, 0.15),
        ),
    ),
    "popping": (
        (
            Pose((90, 180), (90, 0), (9, 5), (9, 5), 0, 0, 0.15),
            Pose((90, 0), (90, 180), (9, 5), (9, 5), 0, 0, 0.3),
            Pose((90, 90), (90, 180), (12, 6), (6, 3), -0.04, -4, 0.15),
            Pose((90, 180), (90, 90), (6, 3), (12, 6), 0.04, 4, 0.15),
        ),
        (
            Pose((60, -60), (60, -60), (14, 8), (14, 8), 0, 0, 0.5),
            Pose((45, 135), (45, 135), (8, 4), (8, 4), 0, 0, 0.1),
            Pose((20, 120), (100, 60), (16, 4), (4, 6), 0.06, 7, 0.25, 0, 0.6),
            Pose((100, 60), (20, 120), (4, 6), (16, 4), -0.06, -7, 0.25, 0, -0.6),
        ),
        (
            Pose((135, 45), (30, 30), (10, 5), (10, 5), -0.03, -9, 0.1, 0, -0.4),
            Pose((135, 45), (135, 45), (12, 6), (12, 6), 0, 0, 0.35),
            Pose((30, 30), (135, 45), (10, 5), (10, 5), 0.03, 9, 0.1, 0, 0.4),
            Pose((15, 150), (15, 150), (8, 4), (8, 4), 0, 0, 0.2),
        ),
    ),
    "disco": (
        (
            Pose((145, 145), (40, -60), (16, 8), (4, 2), -0.06, -8, 0.05),
            Pose((-35, -40), (40, -60), (5, 3), (12, 6), 0.05, 5, 0.3),
            Pose((145, 145), (40, -60), (16, 8), (4, 2), -0.06, -8, 0.05),
            Pose((-35, -40), (40, -60), (5, 3), (12, 6), 0.05, 5, 0.3),
        ),
        (
            Pose((70, 140), (70, 140), (18, 10), (3, 1), -0.09, -4, 0.1),
            Pose((30, 60), (30, 60), (4, 2), (4, 2), -0.03, 0, 0.3),
            Pose((70, 140), (70, 140), (3, 1), (18, 10), 0.09, 4, 0.1),
            Pose((30, 60), (30, 60), (4, 2), (4, 2), 0.03, 0, 0.3),
        ),
        (
            Pose((110, 170), (60, 10), (8, 4), (14, 5), 0.05, 6, 0.1, 0, 0.5),
            Pose((60, 10), (110, 170), (14, 5), (8, 4), -0.05, -6, 0.1, 0, -0.5),
            Pose((165, 175), (165, 175), (10, 5), (10, 5), 0, 0, 0),
            Pose((40, -30), (40, -30), (10, 5), (10, 5), 0, 0, 0.4),
        ),
    ),
    "rock": (
        (
            Pose((165, 172), (165, 172), (24, 22), (24, 22), 0, 0, 0.05, 0.07),
            Pose((18, 10), (18, 10), (4, 2), (4, 2), 0, 0, 0.15, 0.07),
            Pose((165, 172), (165, 172), (24, 22), (24, 22), 0, 0, 0.05, 0.07),
            Pose((18, 10), (18, 10), (4, 2), (4, 2), 0, 0, 0.15, 0.07),
        ),
        (
            Pose((150, 178), (20, 40), (12, 6), (12, 6), -0.03, -6, 0.05, 0.03),
            Pose((60, 30), (20, 40), (12, 6), (12, 6), 0.02, 4, 0.45),
            Pose((20, 40), (150, 178), (12, 6), (12, 6), 0.03, 6, 0.05, 0.03),
            Pose((20, 40), (60, 30), (12, 6), (12, 6), -0.02, -4, 0.45),
        ),
        (
            Pose((50, 100), (70, 120), (55, 35), (3, 2), 0.06, 6, 0.05, 0.03),
            Pose((20, 50), (20, 50), (8, 4), (8, 4), 0, 0, 0.4),
            Pose((70, 120), (50, 100), (3, 2), (55, 35), -0.06, -6, 0.05, 0.03),
            Pose((20, 50), (20, 50), (8, 4), (8, 4), 0, 0, 0.4),
        ),
    ),
}
# How much of the way is made in a short rush between two beats; popping freezes on the beat, a waltz flows.
RUSH = dict(waltz=0.0, popping=0.8, disco=0.2, rock=0.3)
