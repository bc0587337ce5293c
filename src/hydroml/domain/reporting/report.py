"""The two documents: the report of a run, and the shorter card of a registered model."""

from collections.abc import Iterator
from dataclasses import replace

from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.models import Approval, Model, ModelVersion
from hydroml.domain.reporting import results
from hydroml.domain.reporting.document import Block, Document, Facts, Figure, Items, Listing, Paragraph, Table
from hydroml.domain.reporting.figures import figures
from hydroml.domain.reporting.methods import methods, references
from hydroml.domain.reporting.subject import Subject
from hydroml.domain.reporting.words import cut, day, figure, listed, number, plural, share

_LONGEST_LISTING = 20_000
_MOST_WARNINGS = 30


def report(subject: Subject) -> Document:
    """All of a run: what a reviewer asks for."""
    run = subject.run
    tables = [
        results.metrics_table(subject),
        results.folds_table(subject),
        results.groups_table(subject),
        results.confusion_table(subject),
        results.candidates_table(subject),
    ]
    return _numbered(
        Document.of(
            "Report of a model run",
            run.specification.name,
            (
                _title(subject),
                f"target {cut(run.specification.target, 60)}",
                f"run {run.id}",
                f"report made {day(subject.made_at)}",
            ),
            results.abstract(subject),
            [
                ("Methods", methods(subject)),
                ("Results", [table for table in tables if table is not None]),
                ("Figures", list(figures(subject.artifacts, run.specification.target))),
                ("Warnings", _warnings(subject)),
                ("What this model is not for", [Items(tuple(_limits(subject))), results.inputs_table(subject)]),
                ("How to repeat it", _repeat(subject)),
                ("Definitions of the metrics", [results.definitions(subject)]),
                ("References", [Items(references(subject))]),
            ],
        )
    )


def card(subject: Subject, model: Model, version: ModelVersion) -> Document:
    """What whoever uses a version of a model should know of it."""
    aliases = [alias for alias, number_ in sorted(model.aliases.items()) if number_ == version.number]
    outcome, wanted = subject.outcome, subject.wanted
    facts = (
        ("Predicts", f"“{wanted.target}” ({outcome.problem})"),
        ("Algorithm", _title(subject)),
        ("Trained on", f"“{subject.source}”, version {subject.version.number}: {plural(outcome.counts.train, 'row')}"),
        ("Fingerprint of the data", subject.version.fingerprint),
        ("Judged on", f"{plural(outcome.counts.test, 'row')}, split {subject.split.value.replace('_', ' ')}"),
        ("Needs", listed([feature.name for feature in outcome.features], 40)),
        ("Registered", day(version.created_at)),
        ("Aliases", listed(aliases)),
        *_approval(version),
        *([("Note", version.note)] if version.note else []),
        ("From", f"run {version.run_id}"),
    )
    tables = (
        results.metrics_table(subject, few=True),
        results.folds_table(subject),
        results.groups_table(subject),
    )
    return _numbered(
        Document.of(
            "Model card",
            f"{model.name}, version {version.number}",
            (_title(subject), f"model {model.id}", f"card made {day(subject.made_at)}"),
            results.abstract(subject),
            [
                ("Intended use", (*_use(subject, version), Facts(facts))),
                ("Results", [table for table in tables if table is not None]),
                ("Training and evaluation", methods(subject)),
                ("Limits", [Items(tuple(_limits(subject))), results.inputs_table(subject)]),
                ("Warnings", _warnings(subject)),
                ("References", [Items(references(subject))]),
            ],
        )
    )


def _approval(version: ModelVersion) -> Iterator[tuple[str, str]]:
    if not version.decisions:
        yield "Approval", "pending: nobody has approved this version"
    for decision in version.decisions:
        yield decision.verdict.value.capitalize(), f"{day(decision.at)}: {decision.reason or 'no reason was given'}"


def _title(subject: Subject) -> str:
    name = subject.wanted.algorithm.name
    return ALGORITHMS[name].title if name in ALGORITHMS else name


def _use(subject: Subject, version: ModelVersion) -> Iterator[Block]:
    if version.approval is Approval.REJECTED:
        yield Paragraph("This version was rejected: it predicts nothing.", "Rejected.")
    period = subject.period("train")
    of = "rows as those of the table it was trained on"
    if subject.wanted.group_column and not subject.split.is_grouped:
        of = f"rows of the same “{subject.wanted.group_column}” as it was trained on"
    when = f"; its training rows are from {period[0]} to {period[1]}" if period else ""
    yield Paragraph(f"To predict “{subject.wanted.target}” for {of}, within the ranges below{when}.")


def _warnings(subject: Subject) -> list[Block]:
    if not subject.warnings:
        return [Paragraph("Pre-flight, asked again when this was made, has none.")]
    told = Paragraph("Pre-flight, asked again when this was made, says of this specification and table:")
    shown = [doubt.msg for doubt in subject.warnings[:_MOST_WARNINGS]]
    left = len(subject.warnings) - len(shown)
    return [told, Items((*shown, *([f"… and {left:,} more."] if left else [])))]


def _limits(subject: Subject) -> Iterator[str]:
    outcome, wanted, split = subject.outcome, subject.wanted, subject.split
    period = subject.period("train")
    if period:
        yield f"Times other than {period[0]} to {period[1]}, from which it learnt: conditions may have changed since."
    if wanted.group_column and split.is_grouped:
        yield (
            f"The score is that of whole “{wanted.group_column}” the model had not seen; single ones may be far from "
            "the mean."
        )
    elif wanted.group_column:
        yield f"Other “{wanted.group_column}” than those it learnt from: the same ones trained and tested."
    if split.is_shuffled and wanted.time_column:
        yield "Forecasts: rows later than the test rows trained, so that the score says little about the future."
    elif split.is_chronological:
        yield "A future unlike the past: the score is that of one later period."
    elif not wanted.group_column:
        yield "Rows drawn otherwise than those of the table: the score is that of rows drawn from it at random."
    yield "Values outside the ranges and categories of the table below; predictions mark them."
    if any(derived.derived.is_past for derived in outcome.derived):
        yield "Rows whose earlier rows are not known: what is derived from the past is missing there."
    if outcome.interval is not None:
        interval = outcome.interval
        yield (
            f"Certainty: a prediction ± {number(interval.half_width)} is to hold {share(interval.level)} of what is "
            f"observed. {interval.words}"
        )
    if outcome.counts.twins:
        yield (
            f"{plural(outcome.counts.twins, 'test row')} agree with a training row in everything: the "
            "score is better than it would be on rows that are new."
        )
    yield "Causes: what a model relies on need not be what brings the target about."


def _repeat(subject: Subject) -> list[Block]:
    run, text = subject.run, subject.specification_text
    listing = text
    if len(text) > _LONGEST_LISTING:
        listing = f"{text[:_LONGEST_LISTING]}\n… and {len(text) - _LONGEST_LISTING:,} more characters"
    return [
        Paragraph(
            "On the run's page “Run it again” computes it once more and holds every figure against these. Elsewhere, "
            f"import a table with the fingerprint {subject.version.fingerprint}, save the specification below as "
            "spec.json with the id of that version, and train it with the versions of the libraries named above:"
        ),
        Listing("hydroml run_experiment spec.json --project NAME --wait"),
        Facts(
            (
                ("Run", str(run.id)),
                ("Experiment", str(run.experiment_id)),
                ("Data version", str(run.specification.version_id)),
                ("MLflow run", run.mlflow_run_id or "not recorded yet"),
                ("Started", day(run.started_at) if run.started_at else figure(None)),
                ("Finished", day(run.finished_at) if run.finished_at else figure(None)),
            )
        ),
        Listing(listing),
    ]


def _numbered(document: Document) -> Document:
    """Tables and figures are numbered through, as they are cited."""
    tables = shown = 0
    sections = []
    for section in document.sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if isinstance(block, Table):
                tables += 1
                blocks.append(replace(block, caption=f"Table {tables}. {block.caption}"))
            elif isinstance(block, Figure):
                shown += 1
                blocks.append(replace(block, caption=f"Figure {shown}. {block.caption}"))
            else:
                blocks.append(block)
        sections.append(replace(section, blocks=tuple(blocks)))
    return replace(document, sections=tuple(sections))
