"""The teaching kit: the guide's numbers computed again, clocks that add up, links that an explorer reads, sick and mended models."""

import ast
import base64
import builtins
import inspect
import json
import math
import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qsl

import nbformat
import node
import pytest
import torch
from cell_names import loaded, stored
from torch.distributions import Normal, kl_divergence

import vae_tutorial
from vae_tutorial import checkpoints, data, exercises, explorers, image_quality, laboratory, models, objectives
from vae_tutorial.explorers.quiz import read_quiz, shuffled

ROOT = Path(__file__).parents[1]
TEACHING = ROOT / "book" / "teaching"
GUIDE = (TEACHING / "instructors-guide.md").read_text("utf-8")
SESSION = nbformat.read(TEACHING / "session.ipynb", as_version=4)
PATIENTS = nbformat.read(TEACHING / "debug-this-vae.ipynb", as_version=4)
HOMEWORK = (TEACHING / "homework.md").read_text("utf-8")
BETWEEN = torch.tensor([[[[-0.127, 1.245]]]])  # the point between two arms of *Drag q*
JAVASCRIPT = Path(explorers.__file__).parent / "js"


# ---------------------------------------------------------------- the guide's numbers


@cache
def curve(name: str) -> dict[str, list[float]]:
    points = checkpoints.model_card(name)["curve"]
    return {key: [point[key] for point in points] for key in ("beta", "rate", "distortion")}


def at_beta(beta: float, quantity: str) -> float:
    """What the explorer shows at β: straight lines over log β between the card's points."""
    points = curve("mnist-beta")
    place = min(max(sum(b <= beta for b in points["beta"]), 1), len(points["beta"]) - 1)
    (low, high), (first, second) = points["beta"][place - 1 : place + 1], points[quantity][place - 1 : place + 1]
    return first + (second - first) * min(1.0, max(0.0, math.log(beta / low) / math.log(high / low)))


@cache
def digits_paid() -> dict[str, tuple[float, float]]:
    """Rate and distortion at ε = 0 of the three digits that the guide shows, by the numbers in its links."""
    vae, held_out = checkpoints.load_model("mnist-2d"), data.load_images("mnist", "test")
    places = {"3": (1, 1), "7": (3, 1), "9": (4, 1)}  # the explorer offers two of each class
    with torch.no_grad():
        x = torch.stack([held_out.x[(held_out.y == label).nonzero()[which, 0]] for label, which in places.values()])
        q = vae.posterior(x)
        rates, distortions = kl_divergence(q, vae.prior), -vae.likelihood(q.mean).log_prob(x)
    return dict(zip(places, zip(rates.tolist(), distortions.tolist(), strict=True), strict=True))


@cache
def spreads() -> tuple[list[float], list[float]]:
    """Of the codes of all digits that come with the book, as *Introducing the VAE* prints them."""
    x = torch.cat([data.load_images("mnist", split).x for split in ("train", "test")])
    with torch.no_grad():
        vae, autoencoder = checkpoints.load_model("mnist-2d"), checkpoints.load_model("mnist-2d-autoencoder")
        return vae.encode(x)[0].std(0).tolist(), autoencoder.encode(x).std(0).tolist()


@cache
def gaps() -> dict[str, float]:
    """log p(x) and the encoder's K of the two points of *Drag q*, and the best K on each hump of the second, by sums over a grid."""
    vae, z = checkpoints.load_model("spiral-1d").requires_grad_(False), torch.linspace(-8, 8, 16_001)
    found = {}
    for name, x in (("on", laboratory.spiral(1_000, seed=1_234)[:1]), ("between", BETWEEN)):
        step = float(z[1] - z[0])
        log_joint = vae.likelihood(z[:, None]).log_prob(x) + Normal(0.0, 1.0).log_prob(z)
        found[name] = float(log_joint.logsumexp(0)) + math.log(step)

        def gap(mu: float, sigma: float, log_joint=log_joint, evidence=found[name], step=step) -> float:
            log_q = Normal(mu, sigma).log_prob(z)
            return float((log_q.exp() * (log_q - log_joint)).sum() * step) + evidence

        q = vae.posterior(x)
        found[f"{name}, encoder"] = gap(float(q.mean), float(q.stddev))
        for hump, places in (("left", torch.arange(-2.1, -1.6, 0.02)), ("right", torch.arange(1.9, 2.4, 0.02))):
            found[f"{name}, {hump}"] = min(gap(mu, sigma) for mu in places.tolist() for sigma in (0.34, 0.36, 0.38, 0.4, 0.42))
    return found


def three_codes(q: tuple[float, ...]) -> dict[str, float]:
    """The terms of *Three codes, by hand* for a guess q, in bits."""
    prior, decoder = (0.5, 0.25, 0.25), (1 / 16, 1 / 4, 1 / 8)
    joint = [one * other for one, other in zip(prior, decoder, strict=True)]

    def mean_log(above: Sequence[float], below: Sequence[float]) -> float:
        return sum(weight * math.log2(a / b) for weight, a, b in zip(q, above, below, strict=True) if weight)

    found = {"evidence": math.log2(sum(joint)), "K": mean_log(q, [part / sum(joint) for part in joint]), "L": mean_log(joint, q)}
    return found | {"rate": mean_log(q, prior), "distortion": -mean_log(decoder, (1, 1, 1))}


def facts() -> list[str]:
    """Every number of the guide in its words, from cards, shipped weights and closed forms."""
    card, plain = (checkpoints.model_card(name)["numbers"]["official_test"] for name in ("mnist-2d", "mnist-2d-autoencoder"))
    (vae1, vae2), (ae1, ae2) = (sorted(values) for values in spreads())
    paid, k, curves = digits_paid(), gaps(), checkpoints.model_card("mnist-replay")["replay"]["held_out"]
    replayed = [(rate, loss - rate) for rate, loss in zip(curves["rate"], curves["loss"], strict=True)]  # by epoch
    richer, clearer = at_beta(0.03, "rate") - at_beta(1, "rate"), at_beta(1, "distortion") - at_beta(0.03, "distortion")
    saved, bought = (abs(at_beta(1, name) - at_beta(4, name)) for name in ("rate", "distortion"))
    at_home = [abs(at_beta(2, name) - at_beta(8, name)) for name in ("rate", "distortion")]
    collapsed = at_beta(100, "distortion")
    guess, bench = three_codes((0.25, 0.25, 0.5)), three_codes((0, 0.5, 0.5))
    assert (bench["rate"], bench["K"]) == (1, 0.5)
    assert card["rate"] == pytest.approx(7, abs=0.5)
    assert collapsed - card["distortion"] > 70
    return [
        f"{plain['loss']:.1f} nats a test digit against the VAE's {card['distortion']:.1f}",
        f"standard deviations of {vae1:.1f} and {vae2:.1f}, the autoencoder's {ae1:.1f} and {ae2:.1f}",
        f"rate {paid['3'][0]:.1f}, distortion {paid['3'][1]:.1f}",
        f"rate {paid['7'][0]:.1f}, distortion {paid['7'][1]:.1f}",
        f"{paid['9'][0]:.1f} nats of rate",
        f"rate {card['rate']:.1f} + distortion {card['distortion']:.1f} = {card['loss']:.1f} nats",
        f"pays {collapsed:.1f}",
        f"K = {k['on, encoder']:.2f} nats of $\\log p(x) = {k['on']:.2f}$",
        f"K = {k['between, encoder']:.1f}. ",
        f"K = {k['between, left']:.2f} ({k['between, right']:.2f} on the other), close to $\\log 2 = {math.log(2):.2f}$",
        f"$784 \\log 2 = {784 * math.log(2):.1f}$",
        f"784 / 20 = {784 / 20:.1f}",
        f"rate {replayed[0][0]:.1f}, distortion {replayed[0][1]:.1f}",
        f"{replayed[2][0]:.1f} nats at epoch 2, back to {replayed[4][0]:.1f} at epoch 4",
        f"rate {replayed[60][0]:.1f}, distortion {replayed[60][1]:.1f} at epoch 60",
        f"rate {at_beta(1, 'rate'):.1f}, distortion {at_beta(1, 'distortion'):.1f}",
        f"rate {at_beta(4, 'rate'):.1f}, distortion {at_beta(4, 'distortion'):.1f}",
        f"{saved:.1f} nats saved, {bought:.1f} paid",
        f"{at_home[0]:.1f} nats saved, {at_home[1]:.1f} paid",
        f"rate {at_beta(100, 'rate'):.2f}, distortion {collapsed:.1f}",
        f"Rate {at_beta(16, 'rate'):.1f}, distortion {at_beta(16, 'distortion'):.1f}",
        f"rate {at_beta(0.03, 'rate'):.1f}, distortion {at_beta(0.03, 'distortion'):.1f}",
        f"{richer:.1f} nats more rate buy {clearer:.1f} of",
        f"$\\log_2 p(x) = {guess['evidence']:.0f}$, $K = {guess['K']:.2f}$, $L = {guess['L']:.2f}$ bits",
        f"every line comes to −{-bench['evidence']:.0f}, the fourth is −{-bench['L']:.1f} + {bench['K']:.1f}, "
        f"the sixth −{bench['distortion']:.1f} − {bench['rate']:.0f} + {bench['K']:.1f}",
    ]


def words(text: str) -> str:
    """Text without its links' targets and code."""
    return re.sub(r"`[^`]*`|\(\.\.[^)]*\)|<a [^>]*>|</a>", "", text)


def test_every_number_of_the_guide_is_that_of_the_shipped_networks():
    told = words(GUIDE)
    missing = [fact for fact in facts() if fact not in told]
    assert not missing, missing


def test_the_sheets_answers_have_the_same_numbers():
    text = "\n".join(cell.source for cell in nbformat.read(TEACHING / "sheet.ipynb", as_version=4).cells)
    k = gaps()
    left, right = (k["between"] - k[f"between, {hump}"] for hump in ("left", "right"))
    assert f"$L$ ends at ${left:.1f}$ on the left one and at ${right:.1f}$ on the right one" in text
    assert (k["between, left"], k["between, right"]) == pytest.approx((math.log(2), math.log(2)), abs=0.08)


def test_best_q_climbs_to_the_hump_that_the_guide_names():
    """The browser's own search, from the link's q, from the encoder's, and from a bell on the other side."""
    canvas = explorers.drag_q(checkpoints.load_model("spiral-1d"), BETWEEN).children[-1]
    [link] = set(re.findall(r"#(drag-q&x=2[^\"]+)", GUIDE))
    linked = dict(parse_qsl(link))
    starts = [(float(linked["q_mu"]), float(linked["q_log_sigma"])), (canvas.encoder_mu[0], canvas.encoder_log_sigma[0]), (2.0, -1.0)]
    encoded = base64.b64encode(canvas.log_likelihoods).decode()
    job = {"kind": "evidence", "logLikelihoods": encoded, "extent": canvas.extent, "count": 1, "point": 0}

    def asked(settings: list[tuple[float, float]]) -> list[dict]:
        return node.ask(ROOT / "tests" / "js" / "one_latent.mjs", [job | {"settings": [(*setting, 1.0) for setting in settings]}])[0]

    best = [(found["best"]["mu"], found["best"]["logSigma"]) for found in asked(starts)]
    assert [mu < 0 for mu, _ in best] == [True, True, False]
    expected = [gaps()[f"between, {hump}"] for hump in ("left", "left", "right")]
    assert [found["gap"] for found in asked(best)] == pytest.approx(expected, abs=0.004)


def test_the_guide_has_no_other_decimal_number():
    told = words(GUIDE)
    for fact in [*facts(), *printed_by_patients().values()]:
        told = told.replace(fact, "")
    assert re.findall(r"[^\n]{20}\d+\.\d+", re.sub(r"β = 0\.03|to 0\.03|>0\.03|, 0\.03|\b0\.03 \|", "", told)) == []


def test_what_the_guide_says_of_the_live_training_is_asserted_on_its_page():
    page = (ROOT / "book" / "foundations" / "code.ipynb").read_text("utf-8")
    assert "asserts less than 119 nats at the end, and a rate above 15" in GUIDE
    assert "assert rate + distortion < 119" in page
    assert "assert rate > 15" in page


def test_the_places_on_the_maps_answer_as_the_guide_says():
    """At (−1.1, −1.1) the VAE draws what its own encoder calls a 9's code; the autoencoder's answer is not a fixed point of it."""
    vae, autoencoder = checkpoints.load_model("mnist-2d"), checkpoints.load_model("mnist-2d-autoencoder")
    held_out, z = data.load_images("mnist", "test"), torch.tensor([[-1.1, -1.1]])
    with torch.no_grad():
        nearest = torch.cdist(z, vae.encode(held_out.x)[0])[0].argsort()[:3]
        assert held_out.y[nearest].tolist() == [9, 9, 9]
        assert held_out.y[torch.cdist(z, autoencoder.encode(held_out.x))[0].argmin()] == 2  # which the caption names
        middle = torch.cat([vae.likelihood(torch.zeros(1, 2)).mean, autoencoder.reconstruct(torch.zeros(1, 2))])
        drawn = image_quality.digit_probabilities(middle).topk(2).indices.tolist()
        assert (drawn[0][0], set(drawn[1])) == (8, {4, 9})
        # how much ink is neither there nor not: a digit has little of it
        grey = {name: float((p * (1 - p)).sum()) for name, p in (("vae", vae.likelihood(z).mean), ("ae", autoencoder.reconstruct(z)))}
        returned = {  # the codes of what was drawn: near z for a drawing like the data
            "vae": float((vae.encode(vae.likelihood(z).mean)[0] - z).norm()) / spreads()[0][0],
            "ae": float((autoencoder.encode(autoencoder.reconstruct(z)) - z).norm()) / spreads()[1][0],
        }
    assert grey["ae"] > grey["vae"]
    assert returned["vae"] < 0.5


def test_a_classifier_reads_the_bottlenecks_digits_where_the_guide_and_the_page_say():
    """The first of each digit held out, as *Move the bottleneck* shows them."""
    ordered, held_out = checkpoints.load_model("mnist-bottleneck"), data.load_images("mnist", "test")
    read: dict[int, list[int]] = {}
    with torch.no_grad():
        for label in range(10):
            z = ordered.encode(held_out.x[(held_out.y == label).nonzero()[0]])  # (1, 64)
            kept = torch.arange(64) < torch.arange(1, 9)[:, None]  # (8, 64): the first d units, d = 1 … 8
            read[label] = image_quality.digit_probabilities(ordered.reconstruct(z * kept)).argmax(1).tolist()
    assert read[7][0] != 7
    assert set(read[7][1:]) == {7}
    assert read[2] == [6, 6, 6, 2, 2, 2, 2, 2]
    assert read[5][1] == 3
    assert set(read[5][3:]) == {5}
    assert read[4][0] == 9
    assert [label for label in range(10) if read[label][3] != label] == [8]  # at d = 4
    assert read[8][3] == read[8][7] == 3


# ---------------------------------------------------------------- cross-references

EMPHASIS = {
    "after", "and", "before", "distortion", "is", "lower bound", "map", "rate", "rises", "student", "sum", "they", "together",
    "what", "you",
}  # fmt: skip
BUTTONS = {"all means": "beta_calculator", "reset": "beta_calculator", "best q": "drag_q", "encoder's q": "drag_q"}
BUTTONS |= {"sample ε": "draw_digit", "Check": "quiz", "pathwise": "reparameterise", "score function": "reparameterise"}
MENU = {"Run", "Run All Above Selected Cell"}  # JupyterLab's


def headings(page: Path) -> set[str]:
    """The headings of a page, each also as far as its colon."""
    text = page.read_text("utf-8")
    if page.suffix == ".ipynb":
        text = "\n\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "markdown")
    found = set(re.findall(r"^#+ (.+)$", text, re.M))
    return found | {heading.split(":")[0] for heading in found}


def italics(text: str) -> list[str]:
    return re.findall(r"(?<![*\w])\*([^*\n]+)\*(?!\*)", text)


def test_whatever_the_guide_names_in_italics_exists():
    own = {heading.split(" · ")[-1] for heading in headings(TEACHING / "instructors-guide.md")}
    own |= set(re.findall(r"^\*\*(Variant[^*]*)\.\*\*", GUIDE, re.M))
    pages = [path for path in (ROOT / "book").rglob("*") if path.suffix in {".md", ".ipynb"} and "_ext" not in path.parts]
    known = own.union({"I explain", "Variant"}, MENU, *map(headings, pages))
    for button, explorer in BUTTONS.items():
        assert f'"{button}"' in (JAVASCRIPT / f"{explorer}.js").read_text("utf-8")
        known |= {button, button.capitalize()}
    told = re.sub(r"`[^`]*`", "", GUIDE)
    told = told.replace(re.findall(r"One question to bring along, in writing: (\*[^*]+\*)", told)[0], "")
    named = [name for name in italics(told) if name not in EMPHASIS and not name.startswith("the dice")]
    assert len(named) > 50
    assert [name for name in named if name not in known] == []


def test_a_heading_that_the_guide_names_beside_a_page_is_one_of_that_page():
    found = re.findall(r"\]\(([\w./-]+\.(?:ipynb|md))[^)]*\), \*([^*]+)\*", GUIDE)
    found += [(page, name) for name, page in re.findall(r"\*([^*]+)\* on \[[^\]]*\]\(([\w./-]+\.ipynb)", GUIDE)]
    assert len(found) > 8
    for page, name in found:
        assert name in headings(TEACHING / page), (page, name)


# ---------------------------------------------------------------- clocks


def plans() -> list[list[tuple[int, int]]]:
    """The tables with a clock: (at, minutes) of each row."""
    tables, rows = [], []
    for line in [*GUIDE.splitlines(), ""]:
        found = re.match(r"\| (\d+) \| (\d+) \|", line)
        if found:
            rows.append((int(found[1]), int(found[2])))
        elif rows and not line.startswith("|"):
            tables.append(rows)
            rows = []
    return tables


@pytest.mark.parametrize(("place", "minutes"), list(enumerate([90, 50, 50, 50])))
def test_a_plan_adds_up_to_its_minutes(place, minutes):
    plan = plans()[place]
    for (at, lasts), (following, _) in zip(plan, [*plan[1:], (minutes, 0)], strict=True):
        assert at + lasts == following
    assert plan[0][0] == 0


def test_there_are_four_plans_and_the_reading_takes_twenty_minutes():
    assert len(plans()) == 4
    reading = GUIDE.split("## Before any of them")[1].split("\n## ")[0]
    assert sum(map(int, re.findall(r"\((\d+) minutes\)", reading))) == 20


SHORT = dict(re.findall(r"^### (First|Second|Third): (.*?)(?=^##)", GUIDE, re.M | re.S))  # the three sessions of 50 minutes


def lasting(table: str) -> dict[str, int]:
    """The minutes of what a session shares with the 90 minutes, in the first table with a clock."""
    rows = re.findall(r"^\| \d+ \| (\d+) \| \**(Quiz before|Two maps|A cloud for each digit)", table, re.M)
    return {title: int(minutes) for minutes, title in rows}


def test_the_short_sessions_use_the_sheet_and_the_slips():
    parts = {name: sorted(re.findall(r"Sheet, part (\d)", text)) for name, text in SHORT.items()}
    assert parts == {"First": ["1", "2"], "Second": ["3", "4"], "Third": ["5", "6"]}
    for name, text in SHORT.items():
        assert re.search(r"slips (?:of paper )?go round|[Ss]lips and spare Sheets", text), name
        assert re.search(r"Exit card, lines? [\d and]+, on the slip", text), name
    assert "Then the [Sheet](sheet.ipynb) and slips of paper go round" in SHORT["First"]


def test_the_first_session_takes_as_long_as_the_90_minutes_for_the_same():
    assert lasting(SHORT["First"]) == lasting(GUIDE.split("## Three sessions")[0])
    assert len(lasting(SHORT["First"])) == 3
    assert "as above; one learner draws" in SHORT["First"]


def test_the_short_sessions_reading_takes_twenty_minutes_and_defines_what_it_uses():
    reading = GUIDE.split("## Three sessions")[1].split("\n### ")[0]
    assert "Before the first: the reading above." in reading
    for before in ("second", "third"):
        told = reading.split(f"Before the {before}: ")[1].split("Before the third: ")[0]
        assert sum(map(int, re.findall(r"\((\d+) minutes\)", told))) == 20
    page = "\n\n".join(cell.source for cell in read("foundations/the-maths").cells if cell.cell_type == "markdown")
    [ends] = re.findall(r"\*Information\*, from its first line to \*([^*]+)\*", reading)
    read_of_it = page.split("\n## Information\n")[1].split(f"\n### {ends}\n")[0]
    for needed in ("$$ (eq-information)", "$$ (eq-kl)", "**zero if and only if both are the same**"):
        assert needed in read_of_it
    assert "*The question*" in reading
    assert "\n## The question\n" in page
    assert "KL both ways" not in reading, "it tells what part 4 of the Sheet asks"


def test_what_the_exit_card_asks_of_chance_is_asked_in_the_90_minutes():
    """Objective 2, in a block that is not to spare."""
    [question] = re.findall(r"^\| 2 \| .*\| ([^|]+\?) \| 2 \|$", GUIDE, re.M)
    assert f'"{question}"' in GUIDE.split(" · A cloud for each digit\n")[1].split("\n### ")[0]


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize(("name", "heading"), [("foundations/code", "Train"), ("teaching/debug-this-vae", "Patient 1")])
def test_the_cells_that_are_to_have_run_before_the_third_session_are_all_that_is_needed(name, heading):
    assert re.search(rf"all cells above (?:the heading )?\*{heading}\*", SHORT["Third"])
    parts: list[list[str]] = [[], [], []]  # code above the heading, under it, and after the next
    place = 0
    for cell in read(name).cells:
        if cell.cell_type == "markdown" and (titles := re.findall(r"^## (.+)$", cell.source, re.M)):
            place = 1 if titles[-1] == heading else min(2 * place, 2)
        elif cell.cell_type == "code":
            parts[place].append(cell.source)
    above, under = ("\n".join(sources) for sources in parts[:2])
    assert loaded(under) - set(dir(builtins)) - {"display"} <= stored(above)
    assert loaded(under) & stored(above), "the cells above are needed"
    told = {"Train": "784 log 2", "Patient 1": "def healthy("}  # the first question's answer; the healthy model to compare with
    assert told[heading] in above
    assert "lids down until the vote" in SHORT["Third"]


def test_headings_of_the_90_minutes_follow_its_clock():
    spans = [(int(a), int(b)) for a, b in re.findall(r"^### (\d+)–(\d+) ·", GUIDE, re.M)]
    starts = {at for at, _ in plans()[0]} | {90}
    assert spans[0][0] == 0
    assert spans[-1][1] == 90
    assert all(later[0] == earlier[1] for earlier, later in pairwise(spans))
    assert {edge for span in spans for edge in span} <= starts


def test_every_block_asks_before_it_shows_and_says_when_to_reteach():
    blocks = re.split(r"^### \d+–\d+ · ", GUIDE, flags=re.M)[1:]
    taught = [block for block in blocks if "**Ask" in block]
    assert len(taught) >= 6
    for block in taught:
        assert "**Reteach if fewer than 60 % are right" in block, block[:60]


# ---------------------------------------------------------------- deep links


def read_by(explorer: str) -> set[str]:
    """Every name that an explorer's JavaScript reads from the address."""
    text = (JAVASCRIPT / f"{explorer}.js").read_text("utf-8")
    names = {name for listed in re.findall(r"parseHash\(location\.hash, \[([^\]]*)\]", text) for name in re.findall(r'"(\w+)"', listed)}
    for listed in re.findall(r"(?:LINKS|TRAITS) = \{([^}]*)\}|followHash\(model, \{([^}]*)\}", text):
        names |= set(re.findall(r"(\w+):", "".join(listed)))
    return names


def sections(page: nbformat.NotebookNode = SESSION) -> dict[str, str]:
    """The explorer under each heading of a page, by the heading's anchor."""
    found, anchor = {}, ""
    for cell in page.cells:
        if cell.cell_type == "markdown" and (headings := re.findall(r"^## (.+)$", cell.source, re.M)):
            anchor = re.sub(r"[^a-z0-9]+", "-", headings[-1].lower()).strip("-")
        elif shown := re.findall(r"explorers\.(\w+)\(", cell.source):
            [found[anchor]] = shown
    return found


def links() -> list[str]:
    """The fragments of the guide's links to the session page and of that page's own."""
    text = "\n".join(cell.source for cell in SESSION.cells if cell.cell_type == "markdown")
    return re.findall(r'href="session\.html#([^"]+)"', GUIDE) + re.findall(r'href="#([^"]+)"', text)


def test_links_name_a_heading_and_what_its_explorer_reads():
    shown = sections()
    assert len(links()) > 30
    for link in links():
        place, settings = link.split("&", 1)
        assert place in shown, link
        given = dict(parse_qsl(settings, strict_parsing=True))
        assert set(given) <= read_by(shown[place]), link
        assert all(math.isfinite(float(value)) for value in given.values())
    assert {link.split("&")[0] for link in links()} == set(shown), "every explorer has its links"


def test_links_to_other_pages_name_a_heading_and_what_its_explorer_reads():
    found = re.findall(r'href="\.\./([\w/-]+)\.html#([\w-]+)&([^"]+)"', GUIDE)
    assert found
    for page, place, settings in found:
        shown = sections(read(page))[place]
        assert set(dict(parse_qsl(settings, strict_parsing=True))) <= read_by(shown), place
        assert (page, place, shown) == ("foundations/autoencoders", "move-the-bottleneck", "bottleneck")
        opens_at = inspect.signature(explorers.bottleneck).parameters["d"].default
        assert f"opens at d = {opens_at}" in SHORT["First"]
        assert dict(parse_qsl(settings)) == {"d": "1"}, "where no answer is to be seen"


def test_the_session_page_shows_one_explorer_under_each_heading():
    order = ["latent_map", "draw_digit", "drag_q", "training_replay", "beta_calculator", "continuous_beta", "reparameterise"]
    assert list(sections().values()) == order


# ---------------------------------------------------------------- quizzes


def test_both_quizzes_ask_five_questions_and_the_page_notes_every_wrong_answer():
    page = "\n".join(cell.source for cell in nbformat.read(TEACHING / "quizzes.ipynb", as_version=4).cells)
    for name in ("before-the-session", "after-the-session"):
        wrong = sum(not choice["right"] for question in read_quiz(name) for choice in question["choices"])
        notes = page.split(f'explorers.quiz("{name}")')[1].split("\n## ")[0]
        rows = [line for line in notes.splitlines() if line.startswith("| ")]
        assert len(read_quiz(name)) == 5
        assert len(rows) - 1 == wrong


def test_the_teacher_is_told_the_right_letters():
    questions = shuffled(read_quiz("before-the-session"))
    right = ["ABCD"[[choice["right"] for choice in question["choices"]].index(True)] for question in questions]
    assert f"(Right, for your eyes: {', '.join(right)}. " in GUIDE


def test_a_kl_is_of_its_first_argument_from_its_second():
    """As *Notation* has it; the other words would turn it round."""
    [question] = [asked for asked in read_quiz("after-the-session") if "Two KL divergences" in asked["question"]]
    assert question["choices"][0]["text"].startswith("KL₁ is that of q(z|x) from the prior p(z)")
    assert not re.search(r"\bfrom\b[^,;]*\bto\b", " ".join(choice["text"] for choice in question["choices"]))
    assert not re.search(r"KL from|(?:one|KL) to the prior", GUIDE)


def test_each_bench_has_its_own_q_and_k_of_the_three_codes():
    posterior = torch.tensor([0.25, 0.5, 0.25])
    for q, k in {"(0, 1, 0)": 1, "(0, ½, ½)": 0.5, "(½, ¼, ¼)": 0.25, "(¼, ½, ¼)": 0}.items():
        guess = torch.tensor([{"0": 0.0, "1": 1.0, "½": 0.5, "¼": 0.25}[part] for part in q.strip("()").split(", ")])
        assert float(torch.xlogy(guess, guess / posterior).sum()) / math.log(2) == pytest.approx(k)
        assert q in GUIDE


def test_the_log_of_the_last_question_is_what_a_collapsed_model_reports():
    question = json.dumps(read_quiz("after-the-session")[-1], ensure_ascii=False)
    assert f"loss {at_beta(100, 'distortion') / 784:.2f}" in question
    assert f"about {at_beta(100, 'distortion'):.0f} nats" in question


# ---------------------------------------------------------------- homework, rooms and machines


def test_the_homework_is_a_page_without_answers_that_the_teachers_pages_lead_to():
    parts = re.findall(r"^## \d\. (.+) \((\d+) minutes(?:, a day later)?\)$", HOMEWORK, re.M)
    minutes = [int(lasts) for _, lasts in parts]
    assert len(minutes) == HOMEWORK.count("**Hand in:**") == 5
    assert not re.search(r"^\|", HOMEWORK, re.M), "a telephone is too narrow for a table"
    assert 120 < sum(minutes) < 140
    assert "a good two hours" in HOMEWORK
    expected = GUIDE.split("\n## Homework\n")[1].split("\n## ")[0]
    told = re.findall(r"^\| \d\. (.+?) \|", expected, re.M)
    assert [title.replace("*", "") for title in told] == [title for title, _ in parts]
    assert not re.search(r"nats|eq-board|instructors-guide|<details>", HOMEWORK)
    quizzes, session = ((TEACHING / f"{name}.ipynb").read_text("utf-8") for name in ("quizzes", "session"))
    for page in (expected, quizzes, session):
        assert "[Homework](homework.md)" in page
    for text in (GUIDE, quizzes):
        assert "#homework" not in text, "the teacher's section is not for the class"


def test_the_homework_asks_for_patients_that_nobody_has_met_and_marks_whoever_had_fewer_than_two_wrong():
    assert "three patients that you have not met in class" in HOMEWORK
    assert "2 first" in SHORT["Third"]
    assert "then 1 (where σ comes from) and 3" in SHORT["Third"]
    assert "three of 4 to 9, for 1 to 3 were cured in class" in GUIDE
    rubric = (TEACHING / "quizzes.ipynb").read_text("utf-8").split("## The homework's rubric")[1]
    for case in ("two", "fewer"):
        assert f"| quiz after, {case} wrong | " in rubric


def test_commands_of_the_guide_name_their_python_and_the_wheel_of_this_version():
    for command in re.findall(r"`([^`]*\bpython[\w.]* -m [^`]*)`", GUIDE):
        assert re.match(r"vae/bin/python |python3\.12 -m venv ", command), command
    assert "`py -3.12 -m venv vae`" in GUIDE
    requires = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert f"`3.{requires[1]}` to `3.{int(requires[2]) - 1}`" in GUIDE
    assert f"vae/bin/python -m pip install vae_tutorial-{vae_tutorial.__version__}-py3-none-any.whl jupyterlab" in GUIDE
    assert GUIDE.count(r"`vae\Scripts\python`") == 2
    assert "the folder `solutions/` as well: delete it" in GUIDE


def test_the_zip_is_where_both_pages_say_and_nothing_links_to_it():
    anywhere = "\n".join(cell.source for cell in read("teaching/run-anywhere").cells)
    for page in (GUIDE, anywhere):
        assert "`variational-autoencoders-live.zip`" in page
        assert "in the folder `downloads/` beside its first page" in page
        assert not re.search(r"\]\([^)]*(?:zip|whl|downloads)|href=\"[^\"]*(?:zip|whl|downloads)", page), "not every site has it"
    assert "_build/variational-autoencoders-live.zip" in (ROOT / "Makefile").read_text("utf-8")


def test_where_sum_or_mean_is_dropped_the_exit_card_and_the_homework_still_hold():
    assert "*Sum or mean* was dropped" in GUIDE.split(" · The price of a nat\n")[1].split("\n### ")[0]
    card = "\n".join(cell.source for cell in read("teaching/quizzes").cells)
    assert "Which β was trained, and is the 0 a bug?" in card.split("\n5. A loss adds")[1].split("\n")[0]
    assert '"β is 784; is the 0 a bug?"' in GUIDE
    assert "make patient 2 one of the homework's three" in GUIDE
    assert "If your teacher names one, it is among the three" in HOMEWORK


# ---------------------------------------------------------------- debug this VAE


@cache
def functions() -> dict[str, object]:
    """The patients and their mended versions, as the page writes them."""
    found: dict[str, object] = {"torch": torch, "kl_divergence": kl_divergence}
    for cell in PATIENTS.cells:
        if cell.cell_type == "code" and "exercises.check" not in cell.source.split("assert")[0]:
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef) and re.match(r"patient_|mended_|healthy", node.name):
                    exec(compile(ast.unparse(node), "page", "exec"), found)
    return found


NUMBERS = range(1, 10)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_check_tells_the_patient_from_the_mended(number):
    assert not exercises.check(f"debug-this-vae/patient-{number}", functions()[f"patient_{number}"]).passed
    assert exercises.check(f"debug-this-vae/patient-{number}", functions()[f"mended_{number}"]).passed


@pytest.mark.parametrize("number", [n for n in NUMBERS if n != 5])
def test_a_check_passes_whatever_is_sound_and_no_other_patient(number):
    name = f"debug-this-vae/patient-{number}"
    assert exercises.check(name, objectives.negative_elbo).passed
    assert exercises.check(name, functions()["healthy"]).passed
    for other in NUMBERS:
        assert not exercises.check(name, functions()[f"patient_{other}"]).passed


@cache
def room() -> dict[str, object]:
    """The page's examination room: what its cells that define it leave behind."""
    found: dict[str, object] = {}
    for cell in PATIENTS.cells:
        if re.search(r"^def (?:examine|losses_of)\(", cell.source, re.M):
            exec(compile(cell.source, "page", "exec"), found)
    return found


@cache
def examined() -> dict[str, dict]:
    """What each patient of the page prints there, and the fourth once it is cured."""
    page = "\n".join(cell.source for cell in PATIENTS.cells)
    calls = re.findall(r"= examine\((\w+)(?:, beta=([\d.]+))?\)", page)
    assert len(calls) == 9
    [beta] = [float(given) for _, given in calls if given]
    assert beta == 20
    found = {name: room()["examine"](functions()[name], beta=float(given or 1)) for name, given in calls}
    return found | {"cured": room()["examine"](functions()["mended_4"], beta=beta)}


def printed_by_patients() -> dict[str, str]:
    """The rows of the guide's table, by what `examined` calls them."""
    table = GUIDE.split("**What the patients print**")[1].split("\nPatient 5")[0]
    names = {"healthy": "healthy", "4, with β = 20": "patient_4", "4, cured": "cured"}
    return {names.get(name, f"patient_{name}"): row for row, name in re.findall(r"^(\| (\d[^|]*|healthy) \|.*)$", table, re.M)}


def test_patients_print_what_the_guide_expects():
    assert set(printed_by_patients()) == set(examined())
    for name, row in printed_by_patients().items():
        found = examined()[name]
        expected = [found[doctor][term] for doctor in ("itself", "library") for term in ("loss", "rate", "distortion")]
        *nats, sigma = [float(number) for cell in row.split("|")[2:5] for number in re.findall(r"[\d.]+", cell)]
        assert nats == pytest.approx(expected, abs=1.0), name
        assert sigma == pytest.approx(found["sigma"], abs=0.03), name
    assert examined()["patient_2"]["itself"]["loss"] == pytest.approx(0.27, abs=0.005)
    assert examined()["patient_8"]["trained"] == pytest.approx(153, abs=1)
    assert "the last epoch of training, with 153, is worse" in GUIDE


def test_the_fifth_patients_losses_are_negative_from_the_third_on_and_cured_they_fall():
    sick, cured = (room()["losses_of"](functions()[f"{state}_5"](room()["raw"])) for state in ("patient", "mended"))
    assert [loss < 0 for loss in sick] == [False, False, True, True, True]
    first, last = map(int, re.search(r"Cured, they fall from (\d+) to (\d+), and stay positive", GUIDE).groups())
    assert (cured[0], cured[-1]) == pytest.approx((first, last), abs=3)


@pytest.mark.parametrize("number", [1, 2, 3, 6, 7, 8, 9])
def test_a_cured_patient_trains_as_the_healthy_one(number):
    """Loss and gradient by the same noise: so it prints the healthy row."""
    pulled = []
    for loss in (functions()["healthy"], functions()[f"mended_{number}"]):
        torch.manual_seed(0)
        model = models.VAE(latent_dim=10, hidden=(20,))
        value = loss(model, data.load_images("mnist", "test").x[:20])["loss"].mean()
        pulled.append(torch.cat([value[None], *(part.flatten() for part in torch.autograd.grad(value, model.parameters()))]))
    torch.testing.assert_close(*pulled)


def terms(model, x, z, rate, beta):
    distortion = -model.likelihood(z).log_prob(x)
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion}


def no_gradient(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.sample(), kl_divergence(q, model.prior), beta)


def frozen_for_each_image(model, x, beta=1.0):
    q = model.posterior(x)
    eps = torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(0))
    return terms(model, x, q.mean + q.stddev * eps, kl_divergence(q, model.prior), beta)


def averaged_over_the_batch(model, x, beta=1.0):
    return {name: term.mean() for name, term in objectives.negative_elbo(model, x, beta).items()}


def another_mean(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.rsample() + 0.5, kl_divergence(q, model.prior), beta)


def one_die_for_all_units(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.mean + q.stddev * torch.randn(len(x), 1), kl_divergence(q, model.prior), beta)


def spread_cut_from_the_gradient(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.mean + q.stddev.detach() * torch.randn_like(q.mean), kl_divergence(q, model.prior), beta)


def mean_cut_from_the_gradient(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.mean.detach() + q.stddev * torch.randn_like(q.mean), kl_divergence(q, model.prior), beta)


def rate_cut_from_the_gradient(model, x, beta=1.0):
    q = model.posterior(x)
    return terms(model, x, q.rsample(), kl_divergence(q, model.prior).detach(), beta)


def sets_the_model_to_training(model, x, beta=1.0):
    return objectives.negative_elbo(model.train(), x, beta)


def quieter_in_evaluation(model, x, beta=1.0):
    q = model.posterior(x)
    share = 1.0 if model.training else 0.1
    return terms(model, x, q.mean + share * q.stddev * torch.randn_like(q.mean), kl_divergence(q, model.prior), beta)


CUT = [spread_cut_from_the_gradient, mean_cut_from_the_gradient, rate_cut_from_the_gradient]
MODES = [sets_the_model_to_training, quieter_in_evaluation]


def test_a_die_shared_by_the_batch_is_told_from_one_that_never_falls_anew():
    def shared(model, x, beta=1.0):
        q = model.posterior(x)
        return terms(model, x, q.mean + q.stddev * torch.randn(model.latent_dim), kl_divergence(q, model.prior), beta)

    assert "all images of one batch" in exercises.check("debug-this-vae/patient-3", shared).message


def test_a_size_that_was_typed_is_named():
    def typed(model, x, beta=1.0):
        found = objectives.negative_elbo(model, x, beta)
        return found | {"distortion": found["distortion"] * 784 / x[0].numel()}

    assert "5 units and 36 pixels" in exercises.check("debug-this-vae/patient-2", typed).message


@pytest.mark.parametrize(
    "wrong", [no_gradient, frozen_for_each_image, averaged_over_the_batch, another_mean, one_die_for_all_units, *CUT, *MODES]
)
def test_other_diseases_are_noticed_too(wrong):
    verdict = exercises.check("debug-this-vae/patient-1", wrong)
    assert not verdict.passed
    assert "cannot be checked" not in verdict.message


def test_a_loss_that_stops_is_told_why_and_leaves_the_random_state_alone():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    verdict = exercises.check("debug-this-vae/patient-1", lambda model, x, beta: model.nothing)
    assert "AttributeError" in verdict.message
    assert torch.equal(before, torch.get_rng_state())
