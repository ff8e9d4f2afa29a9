"""The library passes every check; each broken VAE fails the checks that are named for it."""

import pytest
from mutants import MUTANTS, VALID_VARIANT
from vae_checks import CHECKS, LIBRARY


@pytest.mark.parametrize("name", CHECKS)
def test_the_library_passes(name):
    CHECKS[name](LIBRARY)


@pytest.mark.parametrize("name", CHECKS)
def test_a_head_that_is_consistently_log_sigma_is_a_valid_vae(name):
    CHECKS[name](VALID_VARIANT)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("mutant", "check"), [(name, check) for name, mutant in MUTANTS.items() for check in mutant.noticed_by])
def test_the_mutant_is_noticed(mutant, check):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        CHECKS[check](MUTANTS[mutant].made)


def test_every_check_earns_its_place():
    assert {check for mutant in MUTANTS.values() for check in mutant.noticed_by} == set(CHECKS)
