"""The VQ-VAE against loops in NumPy that share no code with it: nearest codes, gradients, moving means, the counted prior."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial import checkpoints
from vae_tutorial.networks import layer_specification
from vae_tutorial.training import fit
from vae_tutorial.vector_quantisation import DECAY, NeighbourPrior, VectorQuantisedVAE, perplexity, quantisation_loss


@pytest.fixture
def model() -> VectorQuantisedVAE:
    torch.manual_seed(1)
    return VectorQuantisedVAE(5, 3, 6, (1, 8, 12)).eval()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.bernoulli(torch.full((4, 1, 8, 12), 0.4), generator=torch.Generator().manual_seed(2))


def test_every_cell_takes_the_nearest_vector(model, x):
    vectors, book = model.encode(x).detach().double().numpy(), model.codebook.double().numpy()
    grids = model.quantise(x)
    assert grids.shape == (4, 2, 3)
    for place in np.ndindex(4, 2, 3):
        distances = [np.sum((vectors[place] - entry) ** 2) for entry in book]
        assert grids[place] == int(np.argmin(distances))


def test_terms_by_hand(model, x):
    terms = quantisation_loss(model, x, commitment=0.5)
    vectors, grids = model.encode(x), model.quantise(x)
    logits = model.decode(model.codebook[grids])
    distortion = binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
    pull = (vectors - model.codebook[grids]).square().flatten(1).sum(1)
    torch.testing.assert_close(terms["distortion"], distortion)
    torch.testing.assert_close(terms["distortion"], -model.likelihood(grids).log_prob(x))
    torch.testing.assert_close(terms["loss"], distortion + 0.5 * pull)
    torch.testing.assert_close(quantisation_loss(model, x)["loss"], distortion + 0.25 * pull)  # as van den Oord et al. took it
    assert terms["rate"].tolist() == pytest.approx([6 * np.log(5)] * 4)


def test_the_encoder_gets_the_decoders_gradient_straight_through(model, x):
    quantisation_loss(model, x, commitment=0.0)["loss"].sum().backward()
    last = model.encoder[-2]
    straight = last.bias.grad.clone()
    chosen = model.codebook[model.quantise(x)].clone().requires_grad_()
    (-model_log_prob(model, chosen, x)).sum().backward()
    torch.testing.assert_close(straight, chosen.grad.sum((0, 1, 2)))  # the bias moves all vectors alike
    model.zero_grad()
    quantisation_loss(model, x, commitment=1.0)["pull"].sum().backward()
    assert all(parameter.grad is None for parameter in model.decoder.parameters())


def model_log_prob(model, vectors, x):
    return -binary_cross_entropy_with_logits(model.decode(vectors), x, reduction="none").flatten(1).sum(1)


def test_the_codebook_follows_means_while_training_and_stands_still_after(model, x):
    before = model.codebook.clone()
    quantisation_loss(model, x)
    assert torch.equal(model.codebook, before)
    with torch.no_grad():  # as `training.evaluate` looks at a model in whichever mode it is
        quantisation_loss(model.train(), x)
    assert torch.equal(model.codebook, before)
    vectors = torch.tensor([[1.0, 0, 0], [3.0, 0, 0], [0, 5.0, 0]]).repeat(4, 1)
    codes = torch.tensor([0, 0, 1]).repeat(4)
    model.counts.fill_(2.0)
    model.sums.copy_(2 * before)
    model.move_codebook(vectors, codes)
    expected = [
        (DECAY * 2 * before[0] + (1 - DECAY) * torch.tensor([16.0, 0, 0])) / (DECAY * 2 + (1 - DECAY) * 8),
        (DECAY * 2 * before[1] + (1 - DECAY) * torch.tensor([0, 20.0, 0])) / (DECAY * 2 + (1 - DECAY) * 4),
    ]
    torch.testing.assert_close(model.codebook[:2], torch.stack(expected))
    torch.testing.assert_close(model.codebook[2:], before[2:])  # no vector came, the mean stays


def test_a_training_step_moves_the_codebook_to_its_vectors(model, x):
    """As loops say: from counts and sums as they stand, the images' vectors added with a weight of 1 − DECAY."""
    model.counts.copy_(torch.tensor([3.0, 4.0, 5.0, 6.0, 7.0]))
    model.sums.copy_(model.codebook * model.counts[:, None])
    vectors, book = model.encode(x).detach().double().flatten(0, -2).numpy(), model.codebook.double().numpy()
    counts, sums = DECAY * model.counts.double().numpy(), DECAY * model.sums.double().numpy()
    for vector in vectors:
        code = int(np.argmin([np.sum((vector - entry) ** 2) for entry in book]))
        counts[code] += 1 - DECAY
        sums[code] += (1 - DECAY) * vector
    quantisation_loss(model.train(), x)
    np.testing.assert_allclose(model.codebook.numpy(), sums / counts[:, None], rtol=1e-4, atol=1e-6)
    assert np.abs(model.codebook.numpy() - book).max() > 0.01


@pytest.mark.parametrize(("cells", "again"), [(0.5, True), (1.0, True), (1.1, False)])
def test_a_code_that_less_than_one_cell_wants_starts_again_at_a_vector(cells, again, model):
    """Cells as a moving average: 1.0 and 1.1 of them are 0.95 and 1.045 after a batch that brought none."""
    vectors = torch.arange(30.0).view(10, 3)
    model.counts.copy_(torch.tensor([9.0, 9.0, 9.0, 9.0, cells]))
    model.sums.copy_(model.codebook * model.counts[:, None])
    before = model.codebook.clone()
    model.move_codebook(vectors, torch.zeros(10, dtype=torch.int64))
    assert any(torch.equal(model.codebook[4], vector) for vector in vectors) == again
    torch.testing.assert_close(model.codebook[1 : 4 if again else 5], before[1 : 4 if again else 5])  # others stay
    assert model.counts[4] == pytest.approx(1.0 if again else DECAY * cells)


def test_unwanted_codes_start_again_at_any_of_the_vectors(model):
    vectors, found = torch.arange(30.0).view(10, 3), []
    for _ in range(40):
        model.counts.copy_(torch.tensor([9.0, 0.1, 0.1, 0.1, 0.1]))
        model.move_codebook(vectors, torch.zeros(10, dtype=torch.int64))
        found.append(model.codebook[1:].clone())
    assert torch.equal(torch.cat(found).unique(dim=0), vectors)
    assert sum(len(codes.unique(dim=0)) > 1 for codes in found) > 35  # each of the four by itself: all alike once in a thousand


def test_the_start_takes_vectors_of_the_images_that_are_apart(model, x):
    model.start_codebook(x, seed=0)
    vectors = model.encode(x).flatten(0, -2)
    assert torch.cdist(model.codebook, vectors).amin(1).max() < 1e-5
    assert torch.pdist(model.codebook).min() > 0
    first = model.codebook.clone()
    model.start_codebook(x, seed=0)
    assert torch.equal(model.codebook, first)
    model.move_codebook(first.repeat(2, 1), torch.arange(5).repeat(2))  # two cells at each code: the moving means begin at the start
    torch.testing.assert_close(model.codebook, first)


def test_the_start_is_drawn_by_squared_distances_to_the_nearest_code_so_far(monkeypatch):
    """k-means++: among points on a line, every ordered choice of three has its probability."""
    points, draws = (0.0, 1.0, 3.0, 7.0), 2_000
    model = VectorQuantisedVAE(3, 1, 2, (1, 4, 4))
    monkeypatch.setattr(model, "encode", lambda x: torch.tensor(points).view(1, 1, 4, 1))
    counts = dict.fromkeys(itertools.permutations(points, 3), 0)
    for seed in range(draws):
        model.start_codebook(torch.zeros(1, 1, 4, 4), seed)
        counts[tuple(model.codebook[:, 0].tolist())] += 1
    for (a, b, c), count in counts.items():
        second = (b - a) ** 2 / sum((p - a) ** 2 for p in points)
        third = min((c - a) ** 2, (c - b) ** 2) / sum(min((p - a) ** 2, (p - b) ** 2) for p in points)
        chance = second * third / len(points)
        assert abs(count / draws - chance) < 4.5 * (chance * (1 - chance) / draws) ** 0.5 + 1e-3


def test_training_lowers_the_loss_and_the_browser_can_run_the_decoder(test_digits):
    torch.manual_seed(0)
    small = VectorQuantisedVAE(8, 4, 8)
    small.start_codebook(test_digits.x[:50], 0)
    history = fit(small, test_digits.x[:400], quantisation_loss, epochs=4, batch_size=50, learning_rate=5e-3, seed=0, progress=False)
    assert history.train["distortion"][-1] < 0.7 * history.train["distortion"][0]
    assert [layer["transposed"]["size"] for layer in layer_specification(small.decoder)] == [[7, 7], [14, 14]]


def test_a_checkpoint_comes_back(model, x, tmp_path):
    checkpoints.save_model(model, "vq", {}, "float32", tmp_path)
    again = checkpoints.load_model("vq", tmp_path)
    assert torch.equal(again.quantise(x), model.quantise(x))
    torch.testing.assert_close(again.likelihood(again.quantise(x)).mean, model.likelihood(model.quantise(x)).mean)


# ---------------------------------------------------------------- codes


def test_perplexity_of_known_frequencies():
    assert perplexity(torch.zeros(3, 2, 2, dtype=torch.int64), 4) == pytest.approx(1)
    assert perplexity(torch.arange(4).view(1, 2, 2), 4) == pytest.approx(4)
    assert perplexity(torch.tensor([[[0, 0], [0, 1]]]), 4) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))


def test_the_counted_prior_is_a_distribution_and_counts():
    grids = torch.randint(0, 3, (40, 2, 2), generator=torch.Generator().manual_seed(3))
    prior = NeighbourPrior(grids, 3, smoothing=0.5)
    every = torch.tensor(list(itertools.product(range(3), repeat=4))).view(-1, 2, 2)
    assert float(prior.log_prob(every).exp().sum()) == pytest.approx(1)
    counted = {}
    for grid in grids.tolist():
        for row, column in itertools.product(range(2), range(2)):
            around = (grid[row][column - 1] if column else 3, grid[row - 1][column] if row else 3)
            counted.setdefault(around, [0.5] * 3)[grid[row][column]] += 1
    for (left, above), counts in counted.items():
        np.testing.assert_allclose(prior.table[left, above], np.array(counts) / sum(counts))


def test_samples_of_the_counted_prior_have_its_frequencies():
    grids = torch.randint(0, 2, (200, 2, 2), generator=torch.Generator().manual_seed(4)) * torch.tensor([[1, 1], [0, 1]])
    prior = NeighbourPrior(grids, 2)
    every = torch.tensor(list(itertools.product(range(2), repeat=4))).view(-1, 2, 2)
    drawn = prior.sample(20_000, seed=5)
    numbers = (drawn.flatten(1) * torch.tensor([8, 4, 2, 1])).sum(1)
    frequency = torch.bincount(numbers, minlength=16).double() / len(drawn)
    assert (frequency - prior.log_prob(every).exp()).abs().max() < 0.015
    assert torch.equal(prior.sample(5, seed=6), prior.sample(5, seed=6))
