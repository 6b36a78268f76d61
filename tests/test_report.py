"""Picture grids hold the pictures, and the results page stands on its own."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import jax.numpy as jnp
import numpy as np
import pytest

from gganjax import core, page, report


def pictures(seed, shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_grid_holds_every_picture_at_its_place():
    color, gray = pictures(0, (2, 20, 40, 3)), pictures(1, (2, 20, 40, 1))
    sheet = np.asarray(report.grid({"source": color, "target guidance": gray}))
    gap, band = report.GAP, sheet.shape[0] - 2 * (20 + report.GAP) - report.GAP
    assert sheet.shape[1] == 2 * 40 + 3 * gap
    for row in range(2):
        top = band + gap + row * (20 + gap)
        np.testing.assert_array_equal(sheet[top : top + 20, gap : gap + 40], color[row])
        np.testing.assert_array_equal(sheet[top : top + 20, 40 + 2 * gap : 80 + 2 * gap], np.repeat(gray[row], 3, axis=2))


@pytest.mark.parametrize("width", [24, 64, 256])
def test_titles_stay_above_their_columns(width):
    names = ["source", "target_guidance", "extraordinarily_long_name"]
    sheet = np.asarray(report.grid({name: np.zeros((1, 8, width, 3), np.uint8) for name in names}))
    band = sheet[: sheet.shape[0] - 8 - 2 * report.GAP]
    for column in range(3):
        left = report.GAP + column * (width + report.GAP)
        assert (band[:, left : left + width] < 128).any(), names[column]
        assert (band[:, left - report.GAP : left - 1] == 255).all(), f"{names[column]} runs over its edge"


def test_maps_of_joints_are_shown_by_the_brightest():
    maps = pictures(2, (2, 6, 5, 18))
    np.testing.assert_array_equal(report.as_picture(maps), maps.max(-1, keepdims=True))
    np.testing.assert_array_equal(report.as_picture(maps[..., :3]), maps[..., :3])
    floats = maps / np.float32(127.5) - 1
    np.testing.assert_array_equal(report.as_picture(floats), maps.max(-1, keepdims=True))


def test_grid_refuses_panels_that_disagree():
    with pytest.raises(ValueError, match="panel 'b' must be uint8 "):
        report.grid({"a": pictures(0, (2, 8, 8, 3)), "b": pictures(0, (1, 8, 8, 3))})
    with pytest.raises(ValueError, match="float32"):
        report.grid({"a": np.zeros((1, 8, 8, 3), np.float32)})
    with pytest.raises(ValueError, match="at least one"):
        report.grid({})


def test_export_to_8_bits_rounds_or_truncates():
    levels = np.arange(256, dtype=np.uint8)
    prepared = np.asarray(core.prepare({"x": jnp.asarray(levels)})["x"])
    np.testing.assert_array_equal(report.to_uint8(prepared), levels)
    np.testing.assert_array_equal(report.to_uint8(levels), levels)
    between = np.array([-1.5, -1, 0, 10.6 / 127.5 - 1, 10.4 / 127.5 - 1, 1, 2], np.float32)
    np.testing.assert_array_equal(report.to_uint8(between), [0, 0, 128, 11, 10, 255, 255])
    np.testing.assert_array_equal(report.to_uint8(between, truncate=True), [0, 0, 127, 10, 10, 255, 255])


def test_the_numbers_of_every_domain_are_tabulated():
    record = {"kid": dict(title="K<I>D", larger_is_better=False, unit="")}
    part = lambda value: {"mean": {"kid": value}, "copy_source": {"kid": 0.25}}
    found = dict(mean={"kid": 0.5}, copy_source={"kid": 0.75}, details={}, record=record, left_out={}, published={},
                 domains={"no<ble": part(0.125), "plain": part(None)})
    _, text = page.results(found)
    assert "<td>to no&lt;ble</td>" in text and "0.125 (0.25)" in text and "K&lt;I&gt;D" in text
    assert '<td>to plain</td><td class="number"></td>' in text
    assert "target domain" not in page.results(found | dict(domains={}))[1]


def test_chart_draws_the_points():
    svg = ElementTree.fromstring(page.chart([(0, 1.0), (50, 3.0), (100, 2.0)]).replace("var(--", "").replace(")", ""))
    points = [tuple(map(float, point.split(","))) for point in svg.find("polyline").get("points").split()]
    (x0, low), (x1, high), (x2, middle) = points
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2) and low > middle > high  # SVG counts downward
    assert middle == pytest.approx((low + high) / 2, abs=0.1)
    assert [text.text for text in svg.findall("text")] == ["3", "1", "0", "100"]


class Links(HTMLParser):
    """Collects what a page refers to and the text it shows."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.tags, self.shown = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.targets += [value for key, value in attrs if key in ("src", "href")]

    def handle_data(self, data):
        self.shown += data


def write_run(folder):
    lines = [json.dumps({"step": step, "seconds": 0.1 * step, "images_per_second": 9.0, "generator/gan": 1 / step})
             for step in range(1, 40)]
    (folder / "metrics.jsonl").write_text("\n".join([*lines, lines[3], '{"step": 40, "gen']))
    (folder / "config.json").write_text(json.dumps({"method": "gesturegan", "data": {"folder": "<script>alert(1)</script>"}}))
    (folder / "versions.json").write_text(json.dumps({"jax": "1 & 2"}))
    (folder / "samples").mkdir()
    (folder / "results").mkdir()
    sheet = report.grid({"source": pictures(0, (1, 8, 8, 3))})
    for step in range(0, 3000, 100):
        sheet.save(folder / "samples" / f"step_{step:08d}.png")
    sheet.save(folder / "results" / "best.png")
    measured = {"psnr": 21.234, "lpips": 0.1, "kid": 0.02}
    floor = {"psnr": 15.7, "lpips": 0.287, "kid": None}
    record = {"psnr": dict(title="PSNR", unit="dB", larger_is_better=True, definition="usual"),
              "lpips": dict(title="LPIPS (AlexNet)", unit="", larger_is_better=False, definition="v0.1", weights="<w>"),
              "kid": dict(title="KID", unit="", larger_is_better=False, definition="cubic")}
    published = {"source": "Table 1", "same_data": False, "values": {"psnr": 32.6091}}
    (folder / "results" / "metrics.json").write_text(json.dumps(
        {"pairs": 5, "norm": "batch", "mean": measured, "copy_source": floor, "record": record, "published": published,
         "details": {"kid": {"standard_error": 0.004}}, "left_out": {"fid": "no <weights>"}}))


def test_page_shows_the_run_and_refers_to_its_own_files_only(tmp_path):
    write_run(tmp_path)
    text = report.write(tmp_path).read_text()
    assert "http" not in text and "<script" not in text and "<script>alert(1)</script>" in Links(text).shown
    links = Links(text)
    assert all((tmp_path / target).is_file() for target in links.targets)
    assert "samples/step_00002900.png" in links.targets and "results/best.png" in links.targets
    assert links.tags.count("img") == report.TIMELINE + 1
    cell = r'<td class="number">([^<]*)</td>'
    rows = re.findall(rf"<tr><td title=[^>]*>([^<]*)</td>{cell}{cell}{cell}", text)
    assert rows == [("PSNR [dB], higher is better", "21.23", "15.7", "32.61"),
                    ("LPIPS (AlexNet), lower is better", "0.1", "0.287", ""),
                    ("KID, lower is better", "0.02 &plusmn; 0.004", "infinite", "")]
    assert "Table 1 (published, other data)" in links.shown and "fid is left out: no <weights>" in links.shown
    assert links.tags.count("svg") == 2 and "generator/gan" in text and "1 &amp; 2" in text
    assert "Last logged step: 39." in links.shown


def test_records_are_in_order_and_without_the_line_a_kill_cut_off(tmp_path):
    write_run(tmp_path)
    assert [record["step"] for record in report.read_records(tmp_path / "metrics.jsonl")] == list(range(1, 40))


def test_page_of_a_run_that_has_not_begun(tmp_path):
    assert "No step logged yet." in report.write(tmp_path).read_text()
