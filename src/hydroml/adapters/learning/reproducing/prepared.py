"""The preparation of a run as functions of its training part."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hydroml.adapters.learning import preparation
from hydroml.adapters.learning.reproducing.expressions import Call, Code, Columns, Writer, joined
from hydroml.adapters.learning.reproducing.sources import Library
from hydroml.application.ports.learning import TrainingTask
from hydroml.domain.experiments.algorithms import ALGORITHMS, Algorithm

_LIKES = {
    "boosted": ALGORITHMS["lightgbm"],
    "trees": ALGORITHMS["extra_trees"],
    "scaled": ALGORITHMS["ridge"],
}
"""How the families of an automatic search want their features."""


def like(algorithm: Algorithm) -> str:
    """The name of the preparation for a member of an automatic search that wants its features as an algorithm does."""
    return next(
        name
        for name, one in _LIKES.items()
        if (one.needs_scaling, one.handles_missing) == (algorithm.needs_scaling, algorithm.handles_missing)
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """The facts of a training part that is not there yet."""

    writer: Writer
    needs: set[str]
    before: list[str]
    """What stands before the steps."""

    def quantiles(self, most: int) -> Code:
        return Code(f"min({most}, len(training))")

    def folds(self, kind: type[Any], most: int, seed: int) -> Call:
        self.writer.imports.name("sklearn.model_selection", kind.__name__)
        wanted = [("", Code(f"min({most}, len(training))")), ("shuffle", True), ("random_state", seed)]
        return Call(kind.__name__, wanted)

    def floor(self, columns: list[str]) -> Code:  # noqa: ARG002
        return Code("np.minimum(training[columns].min().to_numpy(dtype=np.float64), 0.0)")

    def frequencies(self, columns: list[str], filler: Any) -> Any:  # noqa: ARG002
        self.needs.add("frequencies")
        if filler is None:
            return Code("frequencies(training[columns])")
        then = ".fit_transform(training[columns])"
        self.before.append(self.writer.lead("filled = ", filler, 1, tail=len(then)) + then)
        return Code("frequencies(filled)")


def prepared(task: TrainingTask, writer: Writer, library: Library, wanted: Collection[str]) -> str:
    """A function for each way of preparing columns, and which of them a column gets: of a search, for those that its
    members want."""
    algorithm = ALGORITHMS[task.specification.algorithm.name]
    likes = {name: one for name, one in _LIKES.items() if name in wanted} or {"": algorithm}
    needs: set[str] = set()
    functions: dict[preparation.Block, str] = {}
    written: list[str] = []
    tables: dict[str, Any] = {}
    sparse: dict[str, Any] = {}
    for name, one in likes.items():
        treatment = {}
        for feature in task.seen:
            blocks = [preparation.block_of(task, feature, one, sparse=few) for few in (False, True)]
            for block in blocks:
                if block not in functions:
                    functions[block] = _name(block.kind, functions.values())
                    written.append(_function(functions[block], block, task, writer, needs))
            usual, other = (functions[block] for block in blocks)
            treatment[feature.name] = Code(usual)
            if other != usual:
                sparse[usual] = other
        tables[name] = treatment
    few_values = {Code(usual): Code(few) for usual, few in sparse.items()}
    writer.imports.module("pandas", "pd")
    writer.imports.name("sklearn.compose", "ColumnTransformer")
    writer.imports.name("collections.abc", "Callable")
    writer.imports.name("typing", "Any")
    several = bool(wanted)
    said = [writer.assignment("TREATMENTS" if several else "TREATMENT", tables if several else tables[""])]
    if few_values:
        said.append(writer.assignment("FEW_VALUES", few_values))
    body = _PREPARED.replace("PARAMETER", ", like: str" if several else "")
    body = body.replace("TABLE", "TREATMENTS[like]" if several else "TREATMENT")
    body = body.replace(
        "FEW", _FEW.replace("if ", 'if like == "boosted" and ' if several else "if ", 1) if few_values else ""
    )
    return joined([*library.take(needs, writer.imports), *written, *said, body])


def _name(kind: str, taken: Any) -> str:
    name, number = f"prepare_{kind}", 1
    while name in taken:
        number += 1
        name = f"prepare_{kind}_{number}"
    return name


def _function(name: str, block: preparation.Block, task: TrainingTask, writer: Writer, needs: set[str]) -> str:
    columns: Any = Columns()
    title = name.removeprefix("prepare_").replace("_", " ")
    before: list[str] = []
    steps: list[Any] = list(block.steps(title, columns, task, _Written(writer, needs, before)))
    lines = [f"def {name}(columns: list[str], training: pd.DataFrame) -> list[tuple]:", *before]
    if not isinstance(steps[0][2], Code):  # one for each column
        lines.append(writer.lead("words = ", steps[0][1], 1))
        lines.append(f'    steps = [(f"{title} {{column}}", words, [column]) for column in columns]')
        steps = steps[1:]
        lines.append(writer.lead("return steps + ", steps, 1) if steps else "    return steps")
    else:
        lines.append(writer.lead("return ", steps, 1))
    return "\n".join(lines)


_FEW = f"""
        if training[name].count() < {preparation.ENOUGH} * max(1.0, len(training) / {preparation.SAMPLE:_}):
            steps = FEW_VALUES.get(steps, steps)  # boosting finds its bins on a sample, which may have none of them"""
_PREPARED = '''\
def prepare(training: pd.DataFramePARAMETER) -> ColumnTransformer:
    """Not fitted yet; a feature without any value in the training part is left out."""
    blocks: dict[Callable, list[str]] = {}
    for name, steps in TABLE.items():
        if not training[name].notna().any():
            continueFEW
        blocks.setdefault(steps, []).append(name)
    steps = [step for make, columns in blocks.items() for step in make(columns, training)]
    return ColumnTransformer(steps, sparse_threshold=0)'''
