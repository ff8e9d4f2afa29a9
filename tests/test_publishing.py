"""What other services read: the workflow that publishes the site, Binder's files, the change log and the citation."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import published_site
import pytest
import yaml

import vae_tutorial

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))


def steps() -> list[dict]:
    return [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_the_workflow_asks_for_no_more_rights_than_publishing_needs():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job.get("permissions") for name, job in WORKFLOW["jobs"].items()} == {
        "test": {"contents": "read", "pages": "read"}, "publish": {"pages": "write", "id-token": "write"},
    }  # fmt: skip
    assert "secrets." not in (ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8")


def test_a_job_that_asks_for_the_sites_address_may_read_it():
    """`configure-pages` fails in a private repository where the job may not (its issue 188); naming one right takes all others away."""
    asking = [job for job in WORKFLOW["jobs"].values() if any("configure-pages" in step.get("uses", "") for step in job["steps"])]
    assert asking
    assert all(job["permissions"]["pages"] == job["permissions"]["contents"] == "read" for job in asking)


def test_only_main_is_published_and_only_what_was_tested():
    publish = WORKFLOW["jobs"]["publish"]
    assert publish["needs"] == "test"
    assert publish["if"] == "github.ref == 'refs/heads/main'"
    assert WORKFLOW["jobs"]["test"]["timeout-minutes"] <= 90


def test_the_workflow_runs_the_readmes_command_with_the_sites_address():
    test, bundle = [step for step in steps() if "run" in step]
    assert test["run"] == "make test"
    assert bundle["run"] == "make published"
    assert bundle["if"] == "github.ref == 'refs/heads/main'"
    assert test["env"] == bundle["env"] == {"BASE_URL": "${{ steps.pages.outputs.base_url }}"}
    assert "pages" in {other.get("id") for other in steps()}


@pytest.mark.parametrize(
    ("old", "new", "errors"),
    [("book", "book", 0), ("minutes: 90", "minutes: soon", 1), ("runs-on:", "runs-in:", 1), ("needs: test", "need: test", 1)],
)
def test_the_workflow_is_one_by_githubs_schema(old, new, errors, tmp_path):
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8")
    assert old in text
    (tmp_path / "book.yml").write_text(text.replace(old, new), "utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(tmp_path / "book.yml")]
    assert subprocess.run(command, capture_output=True).returncode == errors


@pytest.mark.parametrize("page", ["README.md", "book/teaching/run-anywhere.ipynb"])
def test_the_workflow_tests_on_the_python_that_the_pages_name(page):
    [set_up] = [step for step in steps() if "setup-python" in step.get("uses", "")]
    assert re.findall(r"[Aa]ll tests run on (3\.\d+)", (ROOT / page).read_text("utf-8")) == [set_up["with"]["python-version"]]


def test_every_action_is_github_s_own_at_a_fixed_version():
    for step in steps():
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]), step


def test_the_uploaded_folder_is_the_one_that_make_writes():
    [upload] = [step for step in steps() if "upload-pages-artifact" in step.get("uses", "")]
    assert f"published_site.py {upload['with']['path']} " in (ROOT / "Makefile").read_text("utf-8")
    assert {"test", "published"} <= TARGETS


# ---------------------------------------------------------------- the site with downloads (a real page's: tests/browser/test_fork_site.py)


@pytest.fixture
def site(tmp_path) -> Path:
    """Two pages with a foot, one without, and the two files."""
    foot = '<div class="extra_footer">\n  <p>Text CC BY 4.0.</p>\n</div>'
    for name, text in {"index.html": "to the book", "intro.html": foot, "part/page.html": foot}.items():
        (tmp_path / "html" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "html" / name).write_text(text)
    (tmp_path / "all.zip").write_bytes(bytes(26_400_000))
    (tmp_path / "package.whl").write_bytes(bytes(10_600_000))
    return tmp_path / "html"


def test_every_foot_of_a_published_site_leads_to_its_downloads(site, tmp_path):
    before = {path: path.read_text() for path in site.rglob("*.html")}
    for _ in range(2):  # again in the place of the first
        assert published_site.write(tmp_path / "to", site, [tmp_path / "all.zip", tmp_path / "package.whl"]) == 2
    for name in ("intro.html", "part/page.html"):
        page = tmp_path / "to" / name
        links = dict(re.findall(r'<a href="([^"]+)">[^<]+</a> (\(\d+ MB\))', page.read_text()))
        assert list(links.values()) == ["(26 MB)", "(11 MB)"]
        assert [(page.parent / link).resolve().stat().st_size for link in links] == [26_400_000, 10_600_000]
    assert (tmp_path / "to" / "index.html").read_text() == "to the book"
    assert {path: path.read_text() for path in site.rglob("*.html")} == before, "the site itself, which goes into the zip, has no downloads"


def test_a_site_that_could_not_show_its_downloads_is_not_published(site, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"other\.zip is missing: run `make bundle`"):
        published_site.write(tmp_path / "to", site, [tmp_path / "other.zip"])
    for page in site.rglob("*.html"):
        page.write_text("no foot")
    with pytest.raises(ValueError, match="no page has the foot"):
        published_site.write(tmp_path / "to", site, [tmp_path / "all.zip"])
    assert not (tmp_path / "to").exists()


# ---------------------------------------------------------------- Python, Binder, versions


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_pythons_outside_are_ones_that_the_package_supports(python):
    lowest, highest = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(lowest) <= int(python.split(".")[1]) < int(highest)


def test_binder_installs_the_tested_set():
    folder = ROOT / "binder"
    lines = (folder / "requirements.txt").read_text("utf-8").splitlines()
    [line] = [line for line in lines if line and not line.startswith(("#", "--extra-index-url "))]  # a fork may add that: Run it anywhere
    target = folder / line.removeprefix("-r ")
    assert target.resolve() == ROOT / "requirements.txt"
    assert (folder / "runtime.txt").read_text("utf-8").strip() in {"python-3.11", "python-3.12", "python-3.13"}


def test_repo2docker_makes_binders_image_of_that_folder():
    """Its own programme writes the Dockerfile (no Docker here to build it): the right Python, and packages after the sources they name."""
    python = (ROOT / "binder" / "runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "--user-id", "1000", "--user-name", "reader", str(ROOT)]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    text = made.stdout + made.stderr
    assert f"Building conda environment for python={python}" in text
    packages = 'bin/pip install --no-cache-dir -r "binder/requirements.txt"'
    steps_in_order = "\nCOPY --chown=1000:1000 src/ ", packages, "\nRUN ./binder/postBuild"
    places = [text.index(step) for step in steps_in_order]
    assert places == sorted(places)


def test_one_version_everywhere():
    versions = {
        PROJECT["version"], vae_tutorial.__version__, yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"],
        re.search(r"^## (\d[\w.]*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)[1],
    }  # fmt: skip
    assert len(versions) == 1, versions
