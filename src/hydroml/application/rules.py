"""Rules: kept by the data source, checked on each new version and on demand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from hydroml.application.access import source_of, version_of
from hydroml.application.activity import tell
from hydroml.application.analysis import version_job
from hydroml.application.documents import read_check, write_check
from hydroml.application.jobs import JobSender
from hydroml.application.notifications import notify
from hydroml.application.ports.jobs import Bell, Clock, Monitor
from hydroml.application.ports.quality import TableInspector
from hydroml.application.ports.repositories import Listing, Slice, UnitOfWork, UnitOfWorkFactory
from hydroml.domain.errors import ConflictError, DomainError, Fault, ForbiddenError, InvalidInputError, NotFoundError
from hydroml.domain.jobs import Job, JobCancelledError, JobKind, Subject
from hydroml.domain.notifications import Notification, NotificationId, Tone
from hydroml.domain.projects import Role, UserId
from hydroml.domain.quality.facts import Hits
from hydroml.domain.rules import (
    MOST_RULES,
    Check,
    ForeignKey,
    Formula,
    Monotonic,
    RowCount,
    Rule,
    RuleId,
    RuleNotFoundError,
    RuleResult,
    RuleSeverity,
    Unique,
    summary,
)
from hydroml.domain.sources import DataSource, SourceId, SourceNotFoundError, Table, Version, VersionId


class RuleService:
    def __init__(self, *, uow: UnitOfWorkFactory, inspector: TableInspector, sender: JobSender, clock: Clock) -> None:
        self._uow, self._inspector, self._sender, self._clock = uow, inspector, sender, clock

    def list(self, user: UserId, source_id: SourceId) -> Sequence[Rule]:
        with self._uow() as uow:
            source_of(uow, user, source_id)
            return uow.rules.of_source(source_id)

    def create(
        self,
        user: UserId,
        source_id: SourceId,
        name: str,
        check: Check,
        columns: Sequence[str],
        *,
        severity: RuleSeverity = RuleSeverity.ERROR,
        enabled: bool = True,
    ) -> Rule:
        """Raises InvalidInputError when the rule cannot be put to the source's current version."""
        with self._uow() as uow:
            source = source_of(uow, user, source_id, Role.EDITOR)
            if len(uow.rules.of_source(source_id)) >= MOST_RULES:
                raise ConflictError(f"a data source has at most {MOST_RULES} rules")
            rule = Rule(
                id=RuleId(uuid4()), source_id=source_id, name=name, check=check, columns=tuple(columns),
                severity=severity, enabled=enabled, created_by=user, created_at=self._clock(),
            )  # fmt: skip
            self._must_fit(uow, user, source, rule)
            uow.rules.add(rule)
            tell(uow, user, "created", source, self._clock(), about=Subject("rule", rule.id, rule.name))
            uow.commit()
        return rule

    def change(self, user: UserId, rule_id: RuleId, changes: Mapping[str, Any]) -> Rule:
        """`changes` are of name, kind, parameters, columns, severity and enabled."""
        with self._uow() as uow:
            rule, source = _rule_of(uow, user, rule_id, Role.EDITOR)
            values = {name: value for name, value in changes.items() if name not in ("kind", "parameters")}
            if "kind" in changes or "parameters" in changes:
                before = {k: v for k, v in write_check(rule.check).items() if k != "kind"}
                kind = changes.get("kind", rule.kind)
                values["check"] = check_of(kind, changes.get("parameters", before if kind == rule.kind else {}))
            rule.change(**values)
            self._must_fit(uow, user, source, rule)
            uow.rules.save(rule)
            tell(uow, user, "changed", source, self._clock(), about=Subject("rule", rule.id, rule.name))
            uow.commit()
        return rule

    def delete(self, user: UserId, rule_id: RuleId) -> None:
        with self._uow() as uow:
            rule, source = _rule_of(uow, user, rule_id, Role.EDITOR)
            uow.rules.delete(rule_id)
            tell(uow, user, "deleted", source, self._clock(), about=Subject("rule", rule.id, rule.name))
            uow.commit()

    def results(
        self, user: UserId, source_id: SourceId, listing: Listing, version_id: VersionId | None = None
    ) -> Slice[RuleResult]:
        """What the rules have said, the newest result of each rule and version."""
        with self._uow() as uow:
            source_of(uow, user, source_id)
            return uow.rules.results(source_id, listing, version_id)

    def check(self, user: UserId, version_id: VersionId) -> Job:
        """A job checks all enabled rules on the version."""
        with self._uow() as uow:
            version, source = version_of(uow, user, version_id, Role.EDITOR)
            job = version_job(JobKind.CHECK_RULES, user, version, source, self._clock())
            uow.jobs.add(job)
            uow.commit()
        self._sender.send(job.id)
        return job

    def _must_fit(self, uow: UnitOfWork, user: UserId, source: DataSource, rule: Rule) -> None:
        if isinstance(rule.check, ForeignKey):
            other = _other(uow, user, source, rule.check)
            _must_know(uow, other, rule.check.columns or rule.columns, "parameters", "columns")
        if source.current_version_id is None:
            return
        version = uow.versions.get(source.current_version_id)
        group = (rule.check.group,) if isinstance(rule.check, Monotonic) and rule.check.group else ()
        _must_know(uow, source, rule.columns, "columns")
        _must_know(uow, source, group, "parameters", "group")
        conditions = [rule.check.formula] if isinstance(rule.check, Formula) else []
        broken = rule.check.broken(rule.columns)
        for condition in [*conditions, *([broken] if broken is not None else [])]:
            try:
                self._inspector.check(version.columns, condition)
            except InvalidInputError as error:
                raise InvalidInputError.at("parameters", msg=str(error), code="formula") from None


class RuleAnalysis:
    """Checks the enabled rules of a version's source; part of the analysis of every new version."""

    def __init__(self, *, uow: UnitOfWorkFactory, inspector: TableInspector, bell: Bell, clock: Clock) -> None:
        self._uow, self._inspector, self._bell, self._clock = uow, inspector, bell, clock

    def run(self, version: Version, monitor: Monitor) -> dict[str, Any]:
        """What failed now and had not failed on this version before is told to whom it concerns."""
        with self._uow() as uow:
            source = uow.sources.get(version.source_id)
            rules = [rule for rule in uow.rules.of_source(source.id) if rule.enabled]
            known = {r.rule_id for r in uow.rules.results_of_version(version.id) if r.passed is False}
        results = []
        for at, rule in enumerate(rules):
            monitor.report(at / len(rules), "rules", f"Checking “{rule.name}”")
            results.append(self._result(rule, version, source, monitor))
        fresh = [result for result in results if result.passed is False and result.rule_id not in known]
        with self._uow() as uow:
            uow.rules.put_results(results)
            if fresh:
                self._tell(uow, version, source, rules, fresh)
            uow.commit()
        if fresh:
            self._bell.ring()
        return dict(summary(tuple(results)))

    def _result(self, rule: Rule, version: Version, source: DataSource, monitor: Monitor) -> RuleResult:
        found, error = Hits(0), None
        try:
            found = self._hits(rule, version, source, monitor)
        except JobCancelledError:
            raise
        except DomainError as refusal:
            error = str(refusal)
        return RuleResult(
            id=uuid4(), rule_id=rule.id, rule_name=rule.name, severity=rule.severity, source_id=source.id,
            version_id=version.id, version_number=version.number, passed=None if error else found.rows == 0,
            failing_rows=found.rows, filter=rule.check.broken(rule.columns) if found.rows else None,
            row_numbers=found.first, error=error, checked_at=self._clock(),
        )  # fmt: skip

    def _hits(self, rule: Rule, version: Version, source: DataSource, monitor: Monitor) -> Hits:
        table, check = Table.of(version), rule.check
        broken = check.broken(rule.columns)
        if broken is not None:
            return self._inspector.hits(table, [broken], monitor)[0]
        match check:
            case RowCount():
                return Hits(check.off_by(version.rows))
            case Unique():
                return self._inspector.repeated(table, rule.columns, monitor)
            case Monotonic():
                return self._inspector.disordered(
                    table, rule.columns[0], check.group,
                    descending=check.descending, strict=check.strict, monitor=monitor,
                )  # fmt: skip
            case ForeignKey():
                with self._uow() as uow:
                    other = _other(uow, rule.created_by, source, check)
                    if other.current_version_id is None:
                        raise ConflictError(f"“{other.name}” has no version yet")
                    there = Table.of(uow.versions.get(other.current_version_id))
                return self._inspector.orphans(table, rule.columns, there, check.columns or rule.columns, monitor)
        raise InvalidInputError(f"there is no rule of the kind {check.kind}")

    def _tell(
        self, uow: UnitOfWork, version: Version, source: DataSource, rules: Sequence[Rule], failed: Sequence[RuleResult]
    ) -> None:
        """Whoever made the version and whoever wrote the rules that failed, if they still may see it."""
        broken = {result.rule_id for result in failed}
        people = dict.fromkeys((version.created_by, *(rule.created_by for rule in rules if rule.id in broken)))
        severe = any(result.severity is RuleSeverity.ERROR for result in failed)
        names = "; ".join(f"{r.rule_name} ({r.failing_rows:,} rows)" for r in failed[:5])
        more = f"; and {len(failed) - 5} more" if len(failed) > 5 else ""
        for person in people:
            try:
                source_of(uow, person, source.id)
            except (NotFoundError, ForbiddenError):
                continue
            notify(
                uow,
                Notification(
                    id=NotificationId(uuid4()), user_id=person, kind="rules",
                    tone=Tone.DANGER if severe else Tone.WARNING,
                    title=f"{len(failed)} of {len(rules)} rules failed: {source.name}, version {version.number}",
                    text=(names + more)[:1_000], href=f"/sources/{source.id}?tab=rules", created_at=self._clock(),
                ),
            )  # fmt: skip


class RuleHandler:
    """Does the job of checking the rules again."""

    def __init__(self, *, uow: UnitOfWorkFactory, analysis: RuleAnalysis) -> None:
        self._uow, self._analysis = uow, analysis

    def run(self, job: Job, monitor: Monitor) -> dict[str, Any]:
        version_id = VersionId(job.subject_id)
        with self._uow() as uow:
            version = uow.versions.get(version_id)
        return self._analysis.run(version, monitor) | {"version_id": str(version_id)}

    def give_up(self, uow: UnitOfWork, job: Job) -> None:
        """Results that were there before stay as they are."""

    def clean(self, job: Job) -> None:
        """It leaves nothing outside the database."""

    def queue_again(self, uow: UnitOfWork, job: Job) -> None:
        """It can always be done again, while the version is there."""
        uow.versions.get(VersionId(job.subject_id))


def check_of(kind: str, parameters: Mapping[str, Any]) -> Check:
    """Raises InvalidInputError that names every fault."""
    if "kind" in parameters:
        raise InvalidInputError.at("parameters", "kind", msg="the kind stands beside the parameters", code="forbidden")
    try:
        return read_check({**parameters, "kind": kind})
    except InvalidInputError as error:
        faults = tuple(replace(fault, loc=_place(fault)) for fault in error.faults)
        raise InvalidInputError(str(error), faults) from None


def _place(fault: Fault) -> tuple[str | int, ...]:
    if not fault.loc:
        return ("kind",)
    return fault.loc if fault.loc[0] in ("kind", "parameters") else ("parameters", *fault.loc)


def _rule_of(uow: UnitOfWork, user: UserId, rule_id: RuleId, role: Role) -> tuple[Rule, DataSource]:
    rule = uow.rules.get(rule_id)
    try:
        return rule, source_of(uow, user, rule.source_id, role)
    except SourceNotFoundError:
        raise RuleNotFoundError(rule_id) from None


def _other(uow: UnitOfWork, user: UserId, source: DataSource, check: ForeignKey) -> DataSource:
    """The source a foreign key refers to: the user's to see, and in a project with this one."""
    other = source_of(uow, user, SourceId(check.source_id))
    if other.id != source.id and not other.project_ids & source.project_ids:
        raise SourceNotFoundError(other.id)
    return other


def _must_know(uow: UnitOfWork, source: DataSource, columns: Sequence[str], *loc: str) -> None:
    if source.current_version_id is None:
        return
    there = {column.name for column in uow.versions.get(source.current_version_id).columns}
    faults = tuple(
        Fault((*loc, at), f"there is no column “{name[:100]}” in “{source.name}”", "unknown_column")
        for at, name in enumerate(columns)
        if name not in there
    )
    if faults:
        raise InvalidInputError(faults[0].msg, faults)
