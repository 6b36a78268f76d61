"""Real edges for methods that learn them: Canny's, as EdgeGAN's preparation script makes them of photos.

    edges = canny(photo)      # uint8 [H, W, 3] of the photo's size, 0 and 255

The steps are those of the script: a gray picture; a Gaussian of 5x5 taps over 159; Sobel's gradients; the direction in
steps of 45 degrees; non-maximum suppression; thresholds of 0.075 and 0.175 times the strongest gradient that is left;
a weak pixel stays if one of its eight neighbors is strong. OpenCV suppresses and compares, and what remains of its own
hysteresis is taken away by asking it for weak and strong pixels apart: it would follow weak pixels along a whole line.

What differs from the script, which MATLAB runs: OpenCV takes gradients as whole numbers, here of 1/32 of a gray level;
of two equal neighbors along a row or column it keeps the first, and what the script does there is not known; beyond the
border the pixels at the border are repeated, which the script's description leaves open, too. The picture of the edges
is then resized as a photo is, by the bicubic filter, as stored ones are.
"""

import numpy as np

from gganjax.errors import InputError

GAUSSIAN = np.array([[2, 4, 5, 4, 2], [4, 9, 12, 9, 4], [5, 12, 15, 12, 5], [4, 9, 12, 9, 4], [2, 4, 5, 4, 2]]) / 159
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
WEAK, STRONG = 0.075, 0.175  # of the strongest gradient
STEPS = 32  # of a gray level: 16-bit gradients hold up to 4 * 255 levels


def canny(photo: np.ndarray) -> np.ndarray:
    """The edges of a photo uint8 [H, W, 3], uint8 [H, W, 3] of 0 and 255.

    Raises:
      InputError: OpenCV is not installed.
    """
    cv2 = opencv()
    gray = cv2.cvtColor(np.ascontiguousarray(photo), cv2.COLOR_RGB2GRAY)
    border = dict(borderType=cv2.BORDER_REPLICATE)
    smooth = cv2.filter2D(gray.astype(np.float32), cv2.CV_32F, GAUSSIAN.astype(np.float32), **border)
    slopes = [
        np.rint(cv2.filter2D(smooth, cv2.CV_32F, kernel.astype(np.float32), **border) * STEPS).astype(np.int16)
        for kernel in (SOBEL, SOBEL.T)
    ]
    # The strongest gradient is a maximum along its own direction, so it is also the strongest that is left.
    strongest = np.hypot(*[slope.astype(np.float64) for slope in slopes]).max()
    weak, strong = (
        cv2.Canny(*slopes, share * strongest, share * strongest, L2gradient=True) for share in (WEAK, STRONG)
    )  # fmt: skip
    near = cv2.dilate(strong, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.repeat((weak & near)[..., None], 3, axis=2)


def opencv():
    """OpenCV, which only edges need: it is imported at their first use, and told of in one sentence where it is missing."""
    try:
        import cv2

        return cv2
    except ImportError as error:
        raise InputError(
            "Canny edges need OpenCV (pip install opencv-python-headless), or store edge pictures beside the photos and"
            " set config.data.edges=pictures."
        ) from error
