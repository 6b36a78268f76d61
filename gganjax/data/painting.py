"""Paints a hand of `hands`: tapered round limbs in a height map, lit, on the background of its place.

Only elementwise sums, products, quotients and square roots of float32, see `hands`. Everything is painted at twice
the size and averaged.
"""

import math

import numpy as np

from gganjax.data.hands import Dice, Person, Pose

SKIN, NAIL, CLOTH = 1, 2, 3
PARTS = ("background", "sleeve", "arm", "palm", "thumb", "index", "middle", "ring", "little")  # classes of a part map
_FAR = np.float32(-1e6)  # pixels behind the picture: nothing there
_FINGER_RADII = (  # thumb ... little finger, from base to tip
    (0.150, 0.130, 0.115, 0.088),
    (0.122, 0.110, 0.098, 0.074),
    (0.125, 0.113, 0.100, 0.076),
    (0.120, 0.106, 0.094, 0.072),
    (0.105, 0.092, 0.080, 0.062),
)


def paint(who: Person, hand: Pose, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Paints one picture.

    Returns:
      Picture uint8 [size, size, 3]; what is seen, float32 [size, size]: the share of each pixel that is hand, arm or nail;
      and its part, uint8 [size, size], a place in `PARTS`.
    """
    canvas = _Canvas(2 * size)
    _arm(canvas, who, hand)
    _palm(canvas, who, hand)
    _fingers(canvas, who, hand)
    seen = (canvas.material > 0).astype(np.float32)
    cover = halve(seen)
    wall = background(who, size) * (1 - np.float32(0.3) * _shadow(cover, who, hand))[..., None]
    picture = wall * (1 - cover)[..., None] + _lit(canvas, who)
    body = halve(((canvas.material == SKIN) | (canvas.material == NAIL)).astype(np.float32))
    return (picture.clip(0, 255) + np.float32(0.5)).astype(np.uint8), body, canvas.part[::2, ::2]


class _Canvas:
    """Height, material, part, warmth and cloth stripe of every pixel; limbs are added in any order, the nearer one is seen."""

    def __init__(self, side: int):
        self.side = side
        self.height = np.full((side, side), _FAR, np.float32)  # towards the viewer, in pixels
        self.material, self.part = np.zeros((2, side, side), np.uint8)
        self.tint = np.zeros((side, side), np.float32)  # how much the color turns to the material's second color

    def limb(self, start, end, radii, part, *, material=SKIN, soften=0.0, crease=0.0, tint=(0.0, 0.0), nail=False, bands=0.0):
        """Adds a tapered round limb; points (x, y, z) and lengths as shares of the picture.

        part: name of what it belongs to, of `PARTS`;
        soften: over which height difference it grows together with what is there already;
        crease: depth of the fold across its beginning; tint: at both ends;
        nail: whether its end shows one; bands: stripes across, per picture side.
        """
        scale = np.float32(self.side)
        (x0, y0, z0), (x1, y1, z1) = [[np.float32(value) * scale for value in point] for point in (start, end)]
        r0, r1 = np.float32(radii[0]) * scale, np.float32(radii[1]) * scale
        reach = max(r0, r1) + 1
        top, bottom = max(int(min(y0, y1) - reach), 0), min(int(max(y0, y1) + reach) + 1, self.side)
        left, right = max(int(min(x0, x1) - reach), 0), min(int(max(x0, x1) + reach) + 1, self.side)
        if top >= bottom or left >= right:
            return
        box = (slice(top, bottom), slice(left, right))
        y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
        x = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5)
        dx, dy = x1 - x0, y1 - y0
        length = np.sqrt(np.maximum(dx * dx + dy * dy, np.float32(1e-3)))
        along = ((x - x0) * dx + (y - y0) * dy) / length
        place = (along / length).clip(0, 1)
        ox, oy = x - x0 - place * dx, y - y0 - place * dy
        radius = r0 + place * (r1 - r0)
        depth = radius * radius - (ox * ox + oy * oy)
        inside = depth > 0
        height = z0 + place * (z1 - z0) + np.sqrt(np.maximum(depth, 0))
        if crease:
            fold = np.maximum(1 - np.abs(along) / (np.float32(0.22) * r0), 0)
            height = height - np.float32(crease) * r0 * fold * fold
        old = self.height[box]
        above = inside & (height > old)
        if soften:
            range_ = np.float32(soften) * scale
            near = np.maximum(range_ - np.abs(height - old), 0) / range_
            height = np.maximum(height, old) + np.float32(0.25) * range_ * near * near
        elif not above.any():
            return
        self.height[box] = np.where(inside if soften else above, height, old)
        kind = self.material[box]
        kind[above] = material
        self.part[box][above] = PARTS.index(part)
        color = np.float32(tint[0]) + place * np.float32(tint[1] - tint[0])
        if bands:
            phase = along * np.float32(bands) / scale
            color = color + (phase - np.floor(phase) > 0.5)
        self.tint[box] = np.where(above, color, self.tint[box])
        if nail:
            forward = (along - length * np.float32(0.82)) / (np.float32(0.72) * r1)
            width = ((x - x0) * dy - (y - y0) * dx) / length / (np.float32(0.66) * r1)
            kind[above & (forward * forward + width * width < 1)] = NAIL


def _arm(canvas: _Canvas, who: Person, hand: Pose) -> None:
    x, y, z = hand.joints[0]
    dx, dy = who.elbow[0] - x, who.elbow[1] - y
    far = math.sqrt(dx * dx + dy * dy)
    dx, dy = dx / far, dy / far
    palm = hand.palm

    def below(distance):
        return (x + dx * palm * distance, y + dy * palm * distance, z)

    wrist = 0.27 * who.thick * palm
    canvas.limb(below(0.0), below(1.2), (wrist, wrist * 1.12), "arm", soften=0.02, tint=(0.0, 0.1))
    canvas.limb(below(1.2), below(5.0), (wrist * 1.12, wrist * 1.5), "arm", soften=0.02, tint=(0.1, 0.1))
    if who.sleeve < 9:
        start = below(who.sleeve + 0.42 * who.thick)
        canvas.limb(
            start, below(5.5), (wrist * 1.42, wrist * 1.9), "sleeve", material=CLOTH,
            bands=who.stripes / palm if who.stripes else 0.0)
        canvas.limb(
            start, below(who.sleeve + 0.42 * who.thick + 0.2), (wrist * 1.5, wrist * 1.5), "sleeve", material=CLOTH,
            tint=(0.6, 0.6))


def _palm(canvas: _Canvas, who: Person, hand: Pose) -> None:
    palm, joints = hand.palm, hand.joints
    wrist = joints[0]
    flesh = 0.185 * palm * (0.6 + 0.4 * who.thick)
    for knuckle in (5, 9, 13, 17):
        share = 0.28
        root = tuple(a + (b - a) * share * w for a, b, w in zip(wrist, joints[knuckle], (1, 0.5, 1), strict=True))
        canvas.limb(root, joints[knuckle], (flesh * 1.18, flesh * 0.9), "palm", soften=0.05,
                    tint=(0.0, 0.25 if not who.palm else 0.1))
    canvas.limb(joints[5], joints[17], (flesh * 0.8, flesh * 0.75), "palm", soften=0.05, tint=(0.1, 0.1))
    canvas.limb(wrist, joints[1], (flesh * 1.15, flesh * 1.1), "palm", soften=0.05)
    canvas.limb(joints[1], joints[2], (flesh * 1.1, 0.15 * palm * who.thick), "palm", soften=0.05, tint=(0.0, 0.15))
    if who.palm:  # the ball of the little finger
        edge = tuple((a + b) / 2 for a, b in zip(wrist, joints[17], strict=True))
        canvas.limb(edge, joints[17], (flesh * 1.12, flesh * 0.85), "palm", soften=0.05)


def _fingers(canvas: _Canvas, who: Person, hand: Pose) -> None:
    for finger, radii in enumerate(_FINGER_RADII):
        for bone in range(1 if finger == 0 else 0, 3):
            joint = 1 + 4 * finger + bone
            start, end = hand.joints[joint], hand.joints[joint + 1]
            thick = [radius * hand.palm * who.thick for radius in radii[bone : bone + 2]]
            tip = bone == 2
            if tip:  # the key point of a tip lies a little inside the finger
                end = tuple(b + (b - a) * 0.04 for a, b in zip(start, end, strict=True))
            canvas.limb(
                start,
                end,
                (thick[0], thick[1]),
                PARTS[4 + finger],
                soften=0.03 if bone == 0 else 0.012,
                crease=0.0 if bone == 0 else 0.30,
                tint=(0.3 if bone else 0.1, 0.75 if tip else 0.3),
                nail=tip and hand.dorsal[joint + 1] > 0.25,
            )


def _lit(canvas: _Canvas, who: Person) -> np.ndarray:
    """Colors the height map (diffuse and mirrored light, dark folds and edges) at half the canvas; 0 beside the hand."""
    f = np.float32
    half = canvas.side // 2
    picture = np.zeros((half, half, 3), f)
    rows, columns = np.flatnonzero(canvas.material.any(1)), np.flatnonzero(canvas.material.any(0))
    if not len(rows):
        return picture
    top, bottom, left, right = rows[0] // 2, rows[-1] // 2 + 1, columns[0] // 2, columns[-1] // 2 + 1
    box = (slice(2 * top, 2 * bottom), slice(2 * left, 2 * right))
    height, material = canvas.height[box], canvas.material[box]
    step_x, step_y = np.zeros_like(height), np.zeros_like(height)
    step_x[:, 1:-1] = height[:, 2:] - height[:, :-2]
    step_y[1:-1] = height[2:] - height[:-2]
    step_x, step_y = (step_x * f(0.5)).clip(-2.5, 2.5), (step_y * f(0.5)).clip(-2.5, 2.5)
    facing = 1 / np.sqrt(1 + step_x * step_x + step_y * step_y)
    lx, ly, lz = (f(value) for value in who.light)
    lit = np.maximum((lz - step_x * lx - step_y * ly) * facing, 0)
    ambient = f(who.ambient)
    shade = (ambient * (f(0.55) + f(0.45) * facing) + (f(1.08) - ambient) * lit)[..., None]
    shine = np.maximum(lit - f(0.9), 0)
    shine = (shine * shine)[..., None]

    flush = np.array([1.0, 0.74, 0.7], f) if who.palm else np.array([0.95, 0.8, 0.76], f)
    skin = np.array(who.skin, f) * (np.array([1.04, 1.0, 0.98], f) if who.palm else np.array([0.98, 0.96, 0.95], f))
    nail, cloth, stripe = (np.array(color, f) for color in (who.nail, who.cloth, who.stripe))
    first = np.stack([np.zeros(3, f), skin, nail, cloth])
    second = np.stack([np.zeros(3, f), skin * flush, nail, stripe])
    glow = np.array([0, 900, 2200, 0], f)
    color = first[material] + (second - first)[material] * canvas.tint[box][..., None].clip(0, 1)
    color = (color * shade + shine * glow[material][..., None]).clip(0, 255)
    picture[top:bottom, left:right] = halve(color)
    return picture


def _shadow(cover: np.ndarray, who: Person, hand: Pose) -> np.ndarray:
    """The hand's soft shadow on the wall, 0 to 1."""
    side = len(cover)
    away = 0.3 * hand.palm * side
    down, right = int(-who.light[1] * away + 0.22 * away), int(-who.light[0] * away)
    shadow = _shifted(_shifted(cover, down, 0), right, 1)
    reach = max(side // 48, 1)
    for axis in (0, 1):
        for spread in (reach, 2 * reach):
            shadow = (shadow + _shifted(shadow, spread, axis) + _shifted(shadow, -spread, axis)) / np.float32(3)
    return shadow


def _shifted(x: np.ndarray, shift: int, axis: int) -> np.ndarray:
    """Moves by `shift` pixels; what comes in repeats the border."""
    return np.take(x, (np.arange(x.shape[axis]) - shift).clip(0, x.shape[axis] - 1), axis)


def background(who: Person, side: int) -> np.ndarray:
    """The place of a person, float32 [side, side, 3], 0 to 255: a patterned wall, uneven light, often a second surface."""
    f = np.float32
    dice = Dice(who.place)
    wall = np.array([dice.between(70, 235) for _ in range(3)], f)
    gray = (wall[0] + wall[1] + wall[2]) / f(3)
    wall = wall + (gray - wall) * f(dice.between(0.2, 0.75))  # walls are paler than clothes
    other = wall * f(dice.between(0.72, 0.92))
    y = ((np.arange(side, dtype=f) + f(0.5)) / f(side))[:, None]
    x = ((np.arange(side, dtype=f) + f(0.5)) / f(side))[None, :]
    pattern = dice.below(5)
    count = f(dice.between(3, 7))
    wave_x, wave_y = _wave(x * count), _wave(y * count)
    if pattern == 0:  # boards
        amount = (wave_x - f(0.86)).clip(0, f(0.1)) * f(10) + y * 0
    elif pattern == 1:  # tiles
        amount = (np.maximum(wave_x, wave_y) - f(0.88)).clip(0, f(0.1)) * f(10)
    elif pattern == 2:  # wallpaper of dots
        amount = ((wave_x * wave_y) - f(0.45)).clip(0, f(0.2)) * f(5)
    elif pattern == 3:  # slanted stripes
        amount = (_wave((x + y * f(dice.between(-1, 1))) * count) - f(0.4)).clip(0, f(0.2)) * f(5)
    else:  # mottled plaster
        amount = _clouds(dice, x, y, 7)
    clouds = _clouds(dice, x, y, 4)
    amount = amount.clip(0, 1)[..., None]
    picture = wall + (other - wall) * amount
    if dice.below(2):  # a table, a shelf or a door behind
        edge = f(dice.between(0.6, 0.85))
        thing = np.array([dice.between(40, 200) for _ in range(3)], f)
        along = y + x * f(dice.between(-0.12, 0.12)) if dice.below(2) else x + y * f(dice.between(-0.08, 0.08))
        cover = ((along - edge) * f(60)).clip(0, 1)[..., None]
        picture = picture + (thing * (f(0.85) + f(0.3) * clouds[..., None]) - picture) * cover
    slope_x, slope_y = f(-who.light[0] * 0.25), f(-who.light[1] * 0.25)
    bright = 1 - slope_x * (x - f(0.5)) - slope_y * (y - f(0.5)) + f(0.16) * (clouds - f(0.5))
    return picture * bright[..., None]


def _wave(position):
    """A rounded triangle wave: 0 at whole numbers, 1 half way between."""
    part = position - np.floor(position)
    rise = 1 - np.abs(2 * part - 1)
    return rise * rise * (3 - 2 * rise)


def _clouds(dice: Dice, x, y, cells: int) -> np.ndarray:
    """Smooth noise in 0 to 1 with `cells` bumps across."""
    lattice = np.array([dice.between(0, 1) for _ in range((cells + 1) ** 2)], np.float32).reshape(cells + 1, cells + 1)
    column, row = x[0] * cells, y[:, 0] * cells
    left, top = column.astype(int), row.astype(int)
    across, down = column - left, (row - top)[:, None]
    across, down = across * across * (3 - 2 * across), down * down * (3 - 2 * down)
    upper = lattice[top][:, left] + (lattice[top][:, left + 1] - lattice[top][:, left]) * across
    lower = lattice[top + 1][:, left] + (lattice[top + 1][:, left + 1] - lattice[top + 1][:, left]) * across
    return upper + (lower - upper) * down


def halve(x: np.ndarray) -> np.ndarray:
    """Means of four pixels, [2H, 2W, ...] -> [H, W, ...]."""
    return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) * np.float32(0.25)
