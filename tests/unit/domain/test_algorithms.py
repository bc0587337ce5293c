import pytest

from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda one: one.name)
def test_defaults_and_both_ends_of_every_search_are_allowed(algorithm: Algorithm) -> None:
    assert list(algorithm.complaints(algorithm.complete({}))) == []
    for parameter in algorithm.hyperparameters:
        if parameter.search is not None:
            whole = parameter.type == "integer"
            for end in (parameter.search.low, parameter.search.high):
                assert parameter.complaint(int(end) if whole else end) is None, parameter.name
            assert parameter.search.low < parameter.search.high
            assert parameter.search.low > 0 or not parameter.search.log
