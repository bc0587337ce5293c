"""A run as sections of Python: data, split, preparation, model, metrics and the comparison with what was recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hydroml.adapters.learning import baselines, hydrology, metrics, past, preparation, reading
from hydroml.adapters.learning.frames import TEXT_TYPES
from hydroml.adapters.learning.reproducing import models
from hydroml.adapters.learning.reproducing.expressions import Call, Code, Writer, joined, literal
from hydroml.adapters.learning.reproducing.prepared import prepared
from hydroml.adapters.learning.reproducing.sources import Library
from hydroml.application.ports.learning import Reproduction
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.preparation import Derived
from hydroml.domain.experiments.runs import Outcome
from hydroml.domain.experiments.specification import Split, SplitKind
from hydroml.domain.sources import Column

DATA, SPLITS = "data.parquet", "splits.parquet"


@dataclass(frozen=True, slots=True)
class Section:
    """`words` are ours alone: nothing that people named stands in them."""

    title: str
    words: str
    code: str


def sections(reproduction: Reproduction) -> list[Section]:
    """In the order in which they run, the imports first. Raises RunStateError, as the port."""
    return _Script(reproduction).sections()


@dataclass(slots=True)
class _Script:
    reproduction: Reproduction
    outcome: Outcome = field(init=False)
    writer: Writer = field(default_factory=Writer)
    library: Library = field(init=False)
    kind: SplitKind = field(init=False)

    def __post_init__(self) -> None:
        self.outcome, _ = self.reproduction.run.result()
        self.library = Library((reading, past, preparation, metrics, hydrology, baselines))
        self.kind = SplitKind(self.outcome.split)

    def sections(self) -> list[Section]:
        found = [
            Section("The run", "What was recorded, to be compared with what is computed here.", self._recorded()),
            Section("Data", _DATA, self._data()),
            Section("Features", _FEATURES, self._features()),
            Section("Split", _split_words(self.reproduction.task.specification.split, self.kind), self._split()),
            Section("Preparation", _PREPARATION, self._preparation()),
            Section("Model", models.WORDS, models.model(self.reproduction, self.writer)),
            Section("Metrics", "", self._metrics()),
            Section("Baselines", "What can be had without a model.", self._baselines()),
            Section("Fit and judge", "", self._judged()),
            Section("Compare", _COMPARISON, _COMPARED),
        ]
        for module in ("threadpoolctl.threadpool_limits", "pathlib.Path"):
            self.writer.imports.name(*module.split("."))
        return [Section("Imports", "", f"{self.writer.imports.text()}\n\n{_THREADS}"), *found]

    @property
    def _specification(self) -> Any:
        return self.reproduction.task.specification

    @property
    def _classes(self) -> bool:
        return bool(self.outcome.classes)

    @property
    def _time(self) -> Column | None:
        return self._column(self._specification.time_column)

    @property
    def _group(self) -> Column | None:
        return self._column(self._specification.group_column)

    def _column(self, name: str | None) -> Column | None:
        return next((c for c in self.reproduction.task.columns if c.name == name), None)

    def _recorded(self) -> str:
        run, outcome = self.reproduction.run, self.outcome
        facts = {
            "id": str(run.id),
            "name": run.specification.name,
            "data": self.reproduction.data,
            "environment": dict(sorted(outcome.environment.items())),
        }
        parts = {part: outcome.metrics[part] for part in ("test", "train")}
        parts |= {f"baseline {name}": values for name, values in outcome.baselines.items()}
        recorded = {part: {n: values[n] for n in METRICS if n in values} for part, values in parts.items()}
        return joined([self.writer.assignment("RUN", facts), self.writer.assignment("RECORDED", recorded)])

    def _data(self) -> str:
        task, specification, writer = self.reproduction.task, self._specification, self.writer
        wanted = [*(c.name for c in task.direct), specification.target]
        wanted += [name for name in (specification.time_column, specification.group_column) if name]
        wanted += [one.column for one in task.derived]
        writer.imports.module("pyarrow.parquet", "pq")
        lines = [
            writer.assignment("COLUMNS", list(dict.fromkeys(wanted))),
            f"with pq.ParquetFile(FOLDER / {literal(DATA)}) as file:",
            "    table = file.read(columns=COLUMNS)",
            "",
        ]
        needed = ["Array"]
        if self._classes:
            needed.append("class_codes")
            lines.append(f"target, classes = class_codes(table[{literal(specification.target)}])")
        else:
            needed += ["numbers", "finite"]
            lines.append(f"target = finite(numbers(table[{literal(specification.target)}]))")
        if self._time is not None:
            if self._time.type.is_temporal:
                needed.append("moments")
                lines.append(f"dates = moments(table[{literal(self._time.name)}])")
                lines.append("times, timed = dates.view(np.int64), ~np.isnat(dates)")
            else:
                needed += ["numbers", "finite"]
                lines.append(f"times = finite(numbers(table[{literal(self._time.name)}]))")
                lines.append("timed = ~np.isnan(times)")
        if self._group is not None:
            needed.append("group_codes")
            lines.append(f"groups, _ = group_codes(table[{literal(self._group.name)}])")
        elif self._time is not None:
            lines.append("groups = np.zeros(len(table), dtype=np.int64)")
        writer.imports.module("numpy", "np")
        folder = 'FOLDER = Path(__file__).parent if "__file__" in globals() else Path()'
        return joined([*self.library.take(needed, writer.imports), f"{folder}\n" + "\n".join(lines)])

    def _features(self) -> str:
        writer, needed, lines = self.writer, [], []
        writer.imports.module("pandas", "pd")
        columns: dict[str, Any] = {}
        for column in self.reproduction.task.direct:
            place = f"table[{literal(column.name)}]"
            if column.type in TEXT_TYPES:
                needed.append("texts")
                columns[column.name] = Code(f"texts({place})")
            else:
                needed += ["numbers", "finite"]
                columns[column.name] = Code(f"finite(numbers({place}))")
        lines.append(
            writer.assignment("features", Call("pd.DataFrame", [("", columns), ("copy", False)]))
            if columns
            else "features = pd.DataFrame(index=range(len(table)))"
        )
        derived = self.reproduction.task.derived
        if derived:
            made = {one.name: self._made(one) for one in derived}
            needed += ["date_part"] if any(not one.is_past for one in derived) else []
            needed += ["moments"] if any(not one.is_past for one in derived) else []
            if any(one.is_past for one in derived):
                needed += ["Timeline", "numbers", "finite"]
                lines.append("timeline = Timeline(times, timed, groups)")
            lines.append(writer.assignment("derived", made))
            lines.append("features = pd.concat([features, pd.DataFrame(derived, copy=False)], axis=1)")
        return joined([*self.library.take(needed, writer.imports), "\n".join(lines)])

    def _made(self, one: Derived) -> Any:
        column = f"table[{literal(one.column)}]"
        if one.part is not None:
            wave = [] if one.wave is None else [("wave", one.wave.value)]
            return Call("date_part", [("", Code(f"moments({column})")), ("", one.part.value), *wave])
        window: list[tuple[str, Any]] = []
        if one.statistic is not None:
            window = [("rows", one.rows), ("statistic", one.statistic.value)]
        return Call("timeline.before", [("", Code(f"finite(numbers({column}))")), ("lag", one.lag), *window])

    def _split(self) -> str:
        self.writer.imports.module("pandas", "pd")
        order = ""
        if self._time is not None:
            keys = "times[rows], groups[rows]" if self._group is not None else "times[rows],"
            order = _ORDER.replace("KEYS", f"({keys})")
        return joined([_SPLIT.replace("SPLITS", literal(SPLITS)), order])

    def _preparation(self) -> str:
        return prepared(self.reproduction.task, self.writer, self.library, models.likes(self.reproduction))

    def _metrics(self) -> str:
        names = dict.fromkeys(
            name for part in (*self.outcome.metrics.values(), *self.outcome.baselines.values()) for name in part
        )
        if self._classes:
            problem = self.reproduction.task.problem
            known: dict[str, Any] = {**metrics.of_confusion(problem)}
            likely = {**metrics.of_probabilities(problem)}
            needed = ["confusion", *self._functions(known, names), *self._functions(likely, names)]
            tables = [self._table("OF_CLASSES", known, names), self._table("OF_PROBABILITIES", likely, names)]
            body = _OF_CLASSES
        else:
            plain = {**metrics.GENERAL, **hydrology.METRICS}
            peaks = {**hydrology.PEAK_METRICS}
            with_peaks = any(name in peaks for name in names)
            needed = [*self._functions(plain, names), *self._functions(peaks, names)]
            tables = [self._table("METRICS", plain, names)]
            body = _OF_NUMBERS
            if with_peaks:
                tables.append(self._table("OF_PEAKS", peaks, names))
                body = _OF_SERIES
        self.writer.imports.module("warnings")
        return joined([*self.library.take(needed, self.writer.imports), *tables, body])

    @staticmethod
    def _functions(known: dict[str, Any], names: Any) -> list[str]:
        return [known[name].__name__ for name in known if name in names]

    def _table(self, title: str, known: dict[str, Any], names: Any) -> str:
        return self.writer.assignment(title, {n: Code(known[n].__name__) for n in known if n in names})

    def _baselines(self) -> str:
        """A function that gives the metrics of each baseline for a fold."""
        if self._classes:
            return _BASELINES_OF_CLASSES
        own = list(self._baseline_lines())
        needed = [name for name in ("persistence", "seasonal_mean") if name in self.outcome.baselines]
        self.writer.imports.name("collections.abc", "Iterator")
        body = "\n".join(["def baselines(train: Array, test: Array) -> Iterator[tuple[str, Array]]:", *own])
        return joined([*self.library.take(needed, self.writer.imports), body])

    def _baseline_lines(self) -> Iterator[str]:
        yield '    yield "mean", np.full(len(test), target[train].mean())'
        yield '    yield "median", np.full(len(test), np.median(target[train]))'
        if "persistence" in self.outcome.baselines:
            yield '    yield "persistence", persistence(target, times, timed, groups, train, test)'
        if "seasonal_mean" in self.outcome.baselines:
            yield "    seasonal = seasonal_mean(target, dates, groups, train, test)"
            yield "    if seasonal is not None:"
            yield '        yield "seasonal_mean", seasonal'

    def _judged(self) -> str:
        self.writer.imports.name("joblib", "parallel_config")
        self.writer.imports.name("collections.abc", "Callable")
        self.writer.imports.name("typing", "Any")
        self.writer.imports.name("statistics", "fmean")
        text = _JUDGED_CLASSES if self._classes else _JUDGED_NUMBERS
        for part in ("test", "train"):
            text = text.replace(part.upper(), f"in_order({part})" if self._time is not None else part)
        return joined([_FIT, text, _MEANS])


_THREADS = """\
# linear algebra on several threads sums in another order than on one
threadpool_limits(1, user_api="blas")"""
_DATA = "Numbers as floats, texts as texts; what is infinite or immense counts as missing."
_FEATURES = "What the model sees of each row, as it is in the table or derived from it."
_PREPARATION = "Fitted to the rows that train, and to no other."
_COMPARISON = "Another processor or other versions of the libraries may give other last digits."
_SPLIT = """\
splits = pd.read_parquet(FOLDER / SPLITS)  # positions in the table, for each fold those that train and test
FOLDS = [
    tuple(fold.loc[fold["part"] == part, "position"].to_numpy() for part in ("train", "test"))
    for _, fold in splits.groupby("fold")
]"""
_ORDER = '''\
def in_order(rows: Array) -> Array:
    """By group and time, so that neighbours are neighbours in time."""
    return rows[np.lexsort(KEYS)]'''
_MEASURED = """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
"""
_DEFINED = """
    return {name: value for name, value in found.items() if np.isfinite(value)}"""
_OF_NUMBERS = f'''\
def measured(observed: Array, predicted: Array, rows: Array) -> dict[str, float]:
    """The metrics that are defined; pairs with a missing side do not count."""
    complete = np.isfinite(observed) & np.isfinite(predicted)
    o, p = observed[complete], predicted[complete]{_MEASURED}\
        found = {{name: measure(o, p) for name, measure in METRICS.items()}}{_DEFINED}'''
_OF_SERIES = f'''\
def measured(observed: Array, predicted: Array, rows: Array) -> dict[str, float]:
    """The metrics that are defined; pairs with a missing side do not count. Peaks need one series in time."""
    complete = np.isfinite(observed) & np.isfinite(predicted)
    o, p = observed[complete], predicted[complete]
    wanted = METRICS | OF_PEAKS if len(np.unique(groups[rows])) == 1 else METRICS{_MEASURED}\
        found = {{name: measure(o, p) for name, measure in wanted.items()}}{_DEFINED}'''
_OF_CLASSES = f'''\
def measured(observed: Array, predicted: Array, probabilities: Array | None = None) -> dict[str, float]:
    """The metrics that are defined; classes are numbers, and their probabilities have a column for each."""
    counts = confusion(observed, predicted){_MEASURED}\
        found = {{name: measure(counts) for name, measure in OF_CLASSES.items()}}
        if probabilities is not None:
            for name, measure in OF_PROBABILITIES.items():
                found[name] = measure(observed, probabilities){_DEFINED}'''
_BASELINES_OF_CLASSES = '''\
def baselines(train: Array, test: Array) -> dict[str, dict[str, float]]:
    """The most frequent class, and the same with its shares as probabilities."""
    shares = np.bincount(target[train], minlength=len(classes)) / len(train)
    predicted = np.full(len(test), shares.argmax())
    return {
        "most_frequent": measured(target[test], predicted),
        "prior": measured(target[test], predicted, np.tile(shares, (len(test), 1))),
    }'''
_FIT = '''\
def in_blocks(predict: Callable[[pd.DataFrame], Array], rows: Array) -> Array:
    """Of so many rows at a time as in the run: products of matrices round by their sizes."""
    size = min(20_000, max(len(rows) // 8, 1_000))
    blocks = [rows[start : start + size] for start in range(0, len(rows), size)]
    return np.concatenate([np.asarray(predict(features.iloc[block])) for block in blocks])


def fitted(fold: int, train: Array, labels: Array) -> Any:
    training = features.iloc[train]
    with parallel_config(backend="threading", n_jobs=-1):  # it predicts on one thread, as sums depend on their order
        return model(fold, training, labels).fit(training, labels)'''
_JUDGED_NUMBERS = '''\
def judged(fold: int, train: Array, test: Array) -> dict[str, dict[str, float]]:
    """The metrics of one fold: of the model in both parts, and of each baseline on the test rows."""
    pipeline = fitted(fold, train, target[train])
    found = {}
    for part, rows in (("test", TEST), ("train", TRAIN)):
        found[part] = measured(target[rows], in_blocks(pipeline.predict, rows), rows)
    rows = TEST
    for name, predicted in baselines(train, rows):
        found[f"baseline {name}"] = measured(target[rows], predicted, rows)
    return found'''
_JUDGED_CLASSES = '''\
def judged(fold: int, train: Array, test: Array) -> dict[str, dict[str, float]]:
    """The metrics of one fold: of the model in both parts, and of each baseline on the test rows."""
    learnt, labels = np.unique(target[train], return_inverse=True)
    pipeline = fitted(fold, train, labels)
    found = {}
    for part, rows in (("test", TEST), ("train", TRAIN)):
        probabilities = np.zeros((len(rows), len(classes)))  # 0 for a class that the training part does not have
        probabilities[:, learnt] = in_blocks(pipeline.predict_proba, rows)
        predicted = learnt[probabilities[:, learnt].argmax(axis=1)]
        found[part] = measured(target[rows], predicted, probabilities)
    return found | {f"baseline {name}": values for name, values in baselines(train, test).items()}'''
_MEANS = '''\
def mean(several: list[dict[str, float]]) -> dict[str, float]:
    """Of each metric over the folds that have it."""
    names = dict.fromkeys(name for one in several for name in one)
    return {name: fmean(one[name] for one in several if name in one) for name in names}


folds = [judged(number, train, test) for number, (train, test) in enumerate(FOLDS)]
computed = {part: mean([fold[part] for fold in folds if part in fold]) for part in RECORDED}'''
_COMPARED = """\
figures = [(part, name, value, computed[part].get(name)) for part, of in RECORDED.items() for name, value in of.items()]
for part, name, recorded, here in figures:
    print(f"{part:24} {name:18} {here!s:24}", "identical" if here == recorded else f"the run has {recorded}")
other = sum(here != recorded for _, _, recorded, here in figures)
print(f"{other} of {len(figures)} figures differ." if other else f"All {len(figures)} figures are identical.")"""


def _split_words(split: Split, kind: SplitKind) -> str:
    share = f"{100 * split.test_size:g} %"
    words = {
        SplitKind.RANDOM: f"{share} of the rows test, drawn by chance.",
        SplitKind.STRATIFIED: f"{share} of the rows of each class test, drawn by chance.",
        SplitKind.CHRONOLOGICAL: f"The latest {share} of the rows test.",
        SplitKind.WATER_YEARS: f"The latest whole water years test, about {share} of the rows.",
        SplitKind.GROUP: f"{share} of the groups test, drawn by chance.",
        SplitKind.KFOLD: f"{split.folds} folds, drawn by chance.",
        SplitKind.STRATIFIED_KFOLD: f"{split.folds} folds with a like share of each class, drawn by chance.",
        SplitKind.GROUP_KFOLD: f"{split.folds} folds of whole groups, drawn by chance.",
        SplitKind.EXPANDING: f"{split.folds} stretches of time, each tested by a model of all that is earlier.",
        SplitKind.SLIDING: f"{split.folds} stretches of time, each tested by a model of a window before it.",
    }[kind]
    return f"{words} The rows of each part are the run's own."
