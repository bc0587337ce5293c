"""Where the next trial of a nested study belongs."""

from hypothesis import given
from hypothesis import strategies as st

from hydroml.domain.experiments.plans import Nested


@given(st.integers(2, 4), st.integers(1, 3), st.integers(2, 5), st.integers(1, 6), st.randoms(use_true_random=False))
def test_every_outer_fold_has_its_trials_whoever_is_faster(
    folds: int, repeats: int, trials: int, parallel: int, chance: object
) -> None:
    plan = Nested(folds=folds, repeats=repeats, trials=trials)
    done: list[tuple[dict[str, int], bool]] = []
    while (place := plan.next_place(done)) is not None:
        done.append(({"repeat": place[0], "fold": place[1]}, False))
        running = [at for at, (_, ended) in enumerate(done) if not ended]
        if len(running) >= parallel:
            at = chance.choice(running)  # type: ignore[attr-defined]
            done[at] = (done[at][0], True)
    counts = dict.fromkeys(plan.places, 0)
    for values, _ in done:
        counts[values["repeat"], values["fold"]] += 1
    assert set(counts.values()) == {trials}
    assert len({plan.search(*place).seed for place in plan.places}) == len(plan.places)
