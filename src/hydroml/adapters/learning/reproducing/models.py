"""The estimator of a run as a function of its training part, or the members that an automatic search found."""

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier, VotingRegressor

from hydroml.adapters.learning import algorithms
from hydroml.adapters.learning.automatic.learners import Setting, learner
from hydroml.adapters.learning.automatic.material import LIKE
from hydroml.adapters.learning.automatic.plan import Member
from hydroml.adapters.learning.reproducing.expressions import Call, Code, Writer, joined
from hydroml.adapters.learning.reproducing.prepared import like
from hydroml.application.ports.learning import Reproduction
from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC
from hydroml.domain.experiments.runs import RunStateError

WORDS = "What is not said is as the library has it."


def model(reproduction: Reproduction, writer: Writer) -> str:
    """The function that makes what is to be fitted. Raises RunStateError for a search that left no record."""
    writer.imports.name("sklearn.pipeline", "Pipeline")
    if reproduction.task.specification.algorithm.name == AUTOMATIC.name:
        return _found(reproduction, writer)
    steps = [("prepare", Code("prepare(training)")), ("learn", _estimator(reproduction))]
    return "\n".join([_HEAD, writer.lead("return ", Call("Pipeline", [("", steps)]), 1)])


_HEAD = "def model(fold: int, training: pd.DataFrame, labels: Array) -> Pipeline:"


def _estimator(reproduction: Reproduction) -> Any:
    task, outcome = reproduction.task, reproduction.run.result()[0]
    algorithm = ALGORITHMS[task.specification.algorithm.name]
    given = {n: v for n, v in outcome.parameters.items() if n in {h.name for h in algorithm.hyperparameters}}
    values = algorithm.complete(task.specification.algorithm.hyperparameters | given)
    made = algorithms.build(algorithm.name, algorithms.Fit(task.problem, values, task.specification.seed, None))
    if isinstance(made, VotingClassifier):
        return made.estimators[0][1]  # classes are codes here anyway
    if isinstance(made, CalibratedClassifierCV):
        made.set_params(cv=Code(f"max(min({algorithms.CALIBRATION_FOLDS}, np.bincount(labels).min()), 2)"))
    return made


def likes(reproduction: Reproduction) -> set[str]:
    """The preparations that the members of a search want; none for other runs."""
    if reproduction.task.specification.algorithm.name != AUTOMATIC.name:
        return set()
    return {like(LIKE[member["family"]]) for members in _searches(reproduction) for member in members}


def _searches(reproduction: Reproduction) -> Sequence[Sequence[Mapping[str, Any]]]:
    """The members for each fold. Raises RunStateError where they were not recorded."""
    searches: Sequence[Sequence[Mapping[str, Any]]] = (reproduction.task.found or {}).get("searches") or ()
    folds, inner = len(reproduction.training_rows), reproduction.task.specification.split.validation
    found = searches[inner:][:folds]  # those of folds within the training part come first
    if len(found) < folds:
        raise RunStateError(f"run {reproduction.run.id} keeps no record of the members that its search found")
    return found


def _found(reproduction: Reproduction, writer: Writer) -> str:
    """A vote for each fold."""
    searches = _searches(reproduction)
    functions = [
        _vote(reproduction, writer, f"found_in_fold_{number}", members, rows)
        for number, (members, rows) in enumerate(zip(searches, reproduction.training_rows, strict=True), start=1)
    ]
    names = [Code(f"found_in_fold_{number}") for number in range(1, len(functions) + 1)]
    kind = _voting(reproduction).__name__
    choose = f"{_HEAD.replace('Pipeline:', f'{kind}:')}\n    return FOUND[fold](training)"
    return joined([*functions, writer.assignment("FOUND", names), choose])


def _vote(
    reproduction: Reproduction, writer: Writer, name: str, documents: Sequence[Mapping[str, Any]], rows: int
) -> str:
    task = reproduction.task
    members = [Member.read(one) for one in documents]
    total = sum(member.weight for member in members)
    steps = []
    for member in members:
        family = member.candidate.family
        setting = Setting(
            member.candidate,
            of_classes=task.problem.is_classification,
            seed=task.specification.seed % 2**31,
            threads=None,
            rows=rows,
            columns=len(task.seen),
            rate=member.rate,
        )
        prepare = Call("prepare", [("", Code("training")), ("", like(LIKE[family]))])
        pipeline = [("prepare", prepare), ("learn", learner(setting).unfitted(member.rounds))]
        steps.append((member.candidate.name, Call("Pipeline", [("", pipeline)])))
    kind = _voting(reproduction)
    writer.imports.name("sklearn.ensemble", kind.__name__)
    arguments: list[tuple[str, Any]] = [("", steps)]
    if task.problem.is_classification:
        arguments.append(("voting", "soft"))
    arguments += [("weights", [member.weight / total for member in members]), ("n_jobs", 1)]
    head = f"def {name}(training: pd.DataFrame) -> {kind.__name__}:"
    return f"{head}\n{writer.lead('return ', Call(kind.__name__, arguments), 1)}"


def _voting(reproduction: Reproduction) -> type[Any]:
    kind: type[Any] = VotingClassifier if reproduction.task.problem.is_classification else VotingRegressor
    return kind
