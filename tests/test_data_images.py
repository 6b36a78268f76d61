"""Every kind of picture file becomes upright RGB; what is no picture is told by name."""

import struct
import zlib

import numpy as np
import pytest
from make_set import picture
from PIL import Image

from gganjax import data
from gganjax.errors import InputError


def save(path, image, **options):
    image.save(path, **options)
    return path


def test_a_gray_file_has_three_equal_channels(tmp_path):
    gray = picture(1)[..., 0]
    assert np.array_equal(data.read_image(save(tmp_path / "a.png", Image.fromarray(gray))), np.stack([gray] * 3, -1))


def test_a_palette_file_keeps_its_colors(tmp_path):
    image = Image.new("P", (4, 3), 1)
    image.putpalette([9, 9, 9, 200, 100, 50])
    assert (data.read_image(save(tmp_path / "a.png", image)) == (200, 100, 50)).all()


def test_transparent_parts_show_the_background(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2] = (10, 200, 30, 255)
    path = save(tmp_path / "a.png", Image.fromarray(rgba))
    photo, skeleton = data.read_image(path), data.read_image(path, background=0)
    assert (photo[:2] == (10, 200, 30)).all() and (photo[2:] == 255).all()
    assert (skeleton[:2] == (10, 200, 30)).all() and (skeleton[2:] == 0).all()


def test_a_transparent_palette_color_shows_the_background(tmp_path):
    image = Image.new("P", (4, 3), 1)
    image.putpalette([9, 9, 9, 200, 100, 50])
    assert (data.read_image(save(tmp_path / "a.png", image, transparency=1)) == 255).all()


def test_16_bit_gray_is_scaled_and_not_clipped(tmp_path):
    levels = np.array([[0, 257, 25700, 65535]], np.uint16)
    assert data.read_image(save(tmp_path / "a.png", Image.fromarray(levels)))[0, :, 0].tolist() == [0, 1, 100, 255]


def test_16_bit_rgb_is_scaled(tmp_path):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = b"\0" + struct.pack(">HHH", 65535, 25700, 257)
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixel)) + chunk(b"IEND", b""))
    assert data.read_image(path)[0, 0].tolist() == [255, 100, 1]


def test_cmyk_becomes_rgb(tmp_path):
    path = save(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=100)
    assert np.abs(data.read_image(path)[0, 0].astype(int) - (255, 0, 0)).max() <= 2


def test_a_photo_turned_by_its_camera_note_stands_upright(tmp_path):
    upright = picture(2, 4, 6)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: rotate by 90 degrees clockwise to see it
    path = save(tmp_path / "a.png", Image.fromarray(np.rot90(upright)), exif=exif)
    assert np.array_equal(data.read_image(path), upright)


def test_a_picture_under_a_wrong_suffix_is_read(tmp_path):
    pixels = picture(3)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", format="PNG")
    assert np.array_equal(data.read_image(tmp_path / "a.jpg"), pixels)


def test_resizing_is_to_height_and_width_and_keeps_a_constant(tmp_path):
    path = save(tmp_path / "a.png", Image.new("RGB", (10, 20), (7, 80, 200)))
    resized = data.read_image(path, size=(6, 9))
    assert resized.shape == (6, 9, 3) and (resized == (7, 80, 200)).all()


def broken(tmp_path, kind):
    path = tmp_path / "broken.jpg"
    if kind == "folder":
        path.mkdir()
    elif kind == "zero":
        path.touch()
    elif kind == "text":
        path.write_text("this is no picture")
    elif kind.startswith("truncated"):
        whole = tmp_path / ("whole" + kind.removeprefix("truncated"))
        Image.fromarray(picture(4, 64, 64)).save(whole)
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    elif kind == "float":
        Image.fromarray(np.ones((4, 4), np.float32)).save(path, format="TIFF")
    return path


@pytest.mark.parametrize(
    "kind, reason",
    [
        ("missing", "there is no such file"),
        ("folder", "it is a folder"),
        ("zero", "it is empty (zero bytes)"),
        ("text", "its content is no picture format"),
        ("truncated.jpg", "truncated"),
        ("truncated.png", "truncated"),
        ("float", "its pixels are floating-point numbers"),
    ],
)
def test_a_bad_file_is_told_by_name_in_one_sentence(tmp_path, kind, reason):
    path = broken(tmp_path, kind)
    with pytest.raises(InputError) as error:
        data.read_image(path)
    message = str(error.value)
    assert message.startswith(f"{path} cannot be read as a picture: ") and reason in message
    assert "\n" not in message and message.endswith(".")
