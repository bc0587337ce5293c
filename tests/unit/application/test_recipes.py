"""Recipes under a name, applied elsewhere; and sources that are kept up to date by theirs."""

import pytest

from hydroml.application.imports import Upload
from hydroml.application.ports.repositories import Listing
from hydroml.application.saving import Apply, Target
from hydroml.application.studio import Start
from hydroml.domain.errors import ConflictError, ForbiddenError, InvalidInputError
from hydroml.domain.jobs import JobState
from hydroml.domain.projects import ProjectId, Role, UserId
from hydroml.domain.sources import DataSource, SourceId, Version
from hydroml.domain.studio.recipes import KEPT_IN_TRASH, RecipeNotFoundError, SavedRecipe
from hydroml.domain.studio.session import EntryNotFoundError
from hydroml.domain.studio.steps import Derive, FillMethod, FillMissing, Filter, Step
from tests.harness import Harness

OTHER = "day,rain\n1,9\n2,\n3,3\n"
FILL = FillMissing(("rain",), FillMethod.MEAN)


def kept(app: Harness, me: UserId, project: ProjectId, version: Version, *steps: Step) -> SavedRecipe:
    session = app.studio.open(me, version.id).session.id
    for step in steps:
        app.studio.add(me, session, step)
    return app.recipes.keep(me, project, "Clean", session)


def rains(app: Harness, me: UserId, source: DataSource) -> list[object]:
    view = app.tables.version_view(me, app.current(me, source.id).id, columns=("rain",))
    return [row[0] for row in app.tables.page(view, 0, 100).rows]


@pytest.mark.parametrize(("relearn", "filled"), [(False, 178 / 60), (True, 6.0)])
def test_steps_use_what_they_have_learnt_or_learn_anew_as_one_says(
    app: Harness, me: UserId, project: ProjectId, relearn: bool, filled: float
) -> None:
    recipe = kept(app, me, project, app.imported(me, project), FILL)
    other = app.imported(me, project, OTHER)
    source, job = app.saving.apply(me, other.id, Apply(recipe.id, relearn=relearn), Target("Filled"))
    app.work()
    assert app.job(job.id).state is JobState.SUCCEEDED
    assert rains(app, me, source) == [9, pytest.approx(filled), 3]
    opened = app.studio.open(me, other.id, start=Start(recipe_id=recipe.id, relearn=relearn)).session
    assert opened.history()[0].fitted == {"values": {"rain": pytest.approx(filled)}}
    assert app.current(me, source.id).origin.recipe[0]["fitted"] == opened.history()[0].fitted


def test_a_recipe_becomes_the_next_version_of_the_table_it_runs_on(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    version = app.imported(me, project)
    recipe = kept(app, me, project, version, Filter("rain > 2"))
    source, _ = app.saving.apply(me, version.id, Apply(recipe.id))
    app.work()
    assert (source.id, app.current(me, source.id).number) == (version.source_id, 2)
    titles = [n.title for n in app.notifications.list(me, Listing())[0].items]
    assert "Made by a recipe: flows.csv" in titles


def test_only_a_part_is_run_when_that_is_allowed_and_there_is_one(app: Harness, me: UserId, project: ProjectId) -> None:
    recipe = kept(app, me, project, app.imported(me, project), Derive("twice", "flow * 2"), Filter("rain > 2"))
    other = app.imported(me, project, OTHER)
    with pytest.raises(InvalidInputError, match="1 of 2 steps cannot run"):
        app.saving.apply(me, other.id, Apply(recipe.id), Target("x"))
    source, _ = app.saving.apply(me, other.id, Apply(recipe.id, partial=True), Target("x"))
    app.work()
    assert rains(app, me, source) == [9, 3]
    hopeless = kept(app, me, project, app.imported(me, project), Derive("twice", "flow * 2"))
    with pytest.raises(InvalidInputError):
        app.saving.apply(me, other.id, Apply(hopeless.id, partial=True), Target("x"))


def test_a_check_names_columns_that_are_missing_or_of_another_type(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    recipe = kept(app, me, project, app.imported(me, project), Derive("sum", "rain + flow"), FILL)
    check = app.saving.check(me, app.imported(me, project, "day,rain\n1,high\n").id, Apply(recipe.id))
    assert [(step.missing, step.changed) for step in check.steps] == [
        (("flow",), (("rain", "integer", "text"),)),
        ((), (("rain", "integer", "text"),)),
    ]


def test_only_chosen_steps_are_kept_and_none_that_is_switched_off(app: Harness, me: UserId, project: ProjectId) -> None:
    session = app.studio.open(me, app.imported(me, project).id).session.id
    for step in (Filter("rain > 1"), Filter("rain > 2"), Filter("rain > 3")):
        app.studio.add(me, session, step)
    ids = [entry.id for entry in app.studio.get(me, session).session.history()]
    chosen = app.recipes.keep(me, project, "Chosen", session, [ids[2], ids[0]])
    assert [entry.step for entry in chosen.steps] == [Filter("rain > 1"), Filter("rain > 3")]
    app.studio.change(me, session, ids[2], enabled=False)
    assert len(app.recipes.keep(me, project, "All", session).steps) == 2
    with pytest.raises(EntryNotFoundError):
        app.recipes.keep(me, project, "Old", session, [ids[2]])
    app.studio.jump(me, session, None)
    with pytest.raises(InvalidInputError, match="1 to 500 steps"):
        app.recipes.keep(me, project, "None", session)


def test_recipes_are_the_projects(app: Harness, me: UserId, project: ProjectId) -> None:
    viewer, stranger = app.user(), app.user()
    app.projects.set_member(me, project, viewer, Role.VIEWER)
    version = app.imported(me, project)
    recipe = kept(app, me, project, version, Filter("rain > 2"))
    assert [use.recipe for use in app.recipes.list(viewer, project)] == [recipe]
    assert app.saving.check(viewer, version.id, Apply(recipe.id)).runs == 1
    for refused in (
        lambda: app.recipes.change(viewer, recipe.id, name="x"),
        lambda: app.recipes.delete(viewer, recipe.id),
        lambda: app.saving.apply(viewer, version.id, Apply(recipe.id)),
    ):
        with pytest.raises(ForbiddenError):
            refused()
    for hidden in (lambda: app.recipes.get(stranger, recipe.id), lambda: app.recipes.code(stranger, recipe.id)):
        with pytest.raises(RecipeNotFoundError):
            hidden()
    app.recipes.change(me, recipe.id, name="Wet days")
    app.recipes.delete(me, recipe.id)
    with pytest.raises(RecipeNotFoundError):
        app.recipes.get(me, recipe.id)
    assert [use.recipe.name for use in app.recipes.list(me, project, trashed=True)] == ["Wet days"]
    with pytest.raises(ForbiddenError):
        app.recipes.restore(viewer, recipe.id)
    app.recipes.restore(me, recipe.id)
    with pytest.raises(RecipeNotFoundError):
        app.recipes.restore(me, recipe.id)
    app.recipes.delete(me, recipe.id)
    assert app.recipes.purge() == 0
    app.clock.advance(KEPT_IN_TRASH)
    assert (app.recipes.purge(), list(app.recipes.list(me, project, trashed=True))) == (1, [])
    told = [(a.verb, a.subject.name) for a in app.activity.of_project(me, project, Listing()).items]
    verbs = ("trashed", "restored", "renamed")
    assert {("created", "Clean"), *((verb, "Wet days") for verb in verbs)} <= set(told)


# Kept up to date


def followed(app: Harness, me: UserId, version: Version, *steps: Step, name: str = "Follower") -> SourceId:
    session = app.studio.open(me, version.id).session.id
    for step in steps or (Filter("rain > 2"),):
        app.studio.add(me, session, step)
    source, _ = app.saving.request(me, session, Target(name, follow=True))
    app.work()
    return source.id


def add_version(app: Harness, me: UserId, source_id: SourceId, text: str) -> None:
    app.imports.add_version(me, source_id, Upload("more.csv", [text.encode()]))


def test_a_follower_is_made_anew_by_what_it_has_learnt_whenever_its_parent_gets_a_version(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    version = app.imported(me, project)
    first = followed(app, me, version, FILL, Filter("rain > 2"))
    second = followed(app, me, app.current(me, first), Filter("rain > 5"), name="Its follower")
    add_version(app, me, version.source_id, OTHER)
    app.work()
    assert rains(app, me, app.source(me, first)) == [9, pytest.approx(178 / 60), 3]
    assert rains(app, me, app.source(me, second)) == [9]
    newest = app.current(me, first)
    assert (newest.number, newest.origin.parents) == (2, (app.current(me, version.source_id).id,))
    app.sources.roll_back(me, version.source_id, version.id)
    app.work()
    assert app.current(me, first).number == app.current(me, second).number == 3
    assert app.current(me, first).fingerprint != newest.fingerprint


def test_a_recipe_that_cannot_run_on_the_new_version_is_told_and_the_old_table_stays(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    version = app.imported(me, project)
    follower = followed(app, me, version, Filter("flow > 2"))
    add_version(app, me, version.source_id, OTHER)
    app.work()
    source = app.source(me, follower)
    assert "flow" in (source.error or "")
    assert app.current(me, follower).number == 1
    titles = [n.title for n in app.notifications.list(me, Listing())[0].items]
    assert "The recipe failed: Follower" in titles
    add_version(app, me, version.source_id, "day,rain,flow\n1,1,9\n")
    app.work()
    assert (app.current(me, follower).number, app.source(me, follower).error) == (2, None)


def test_a_follower_that_is_busy_catches_up_when_that_has_ended(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    follower = followed(app, me, version)
    add_version(app, me, version.source_id, OTHER)
    app.work(1)  # the parent; the follower's job waits
    add_version(app, me, version.source_id, "day,rain\n1,7\n")
    parent = app.source(me, version.source_id).job_id
    app.queue.sent.sort(key=lambda job_id: job_id != parent)
    app.work(1)
    assert app.current(me, version.source_id).number == 3
    app.work()
    assert (app.current(me, follower).number, rains(app, me, app.source(me, follower))) == (3, [7])
    following = app.source(me, follower).following
    assert following is not None
    assert not following.behind


def test_a_failed_job_does_not_keep_a_follower_from_catching_up(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    follower = followed(app, me, version)
    add_version(app, me, follower, "no table")
    app.queue.sent.clear()  # it is slow
    busy = app.source(me, follower).job_id
    assert busy is not None
    add_version(app, me, version.source_id, OTHER)
    app.work()
    app.jobs.cancel(me, busy)  # type: ignore[arg-type]
    app.runner.sweep()
    app.work()
    assert rains(app, me, app.source(me, follower)) == [9, 3]


def test_sources_cannot_follow_each_other_in_a_circle(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    first = followed(app, me, version)
    second = followed(app, me, app.current(me, first), name="Second")
    session = app.studio.open(me, app.current(me, second).id).session.id
    for target, words in ((version.source_id, "for ever"), (first, "for ever"), (second, "cannot follow itself")):
        with pytest.raises(ConflictError, match=words):
            app.saving.request(me, session, Target(source_id=target, follow=True))
    app.saving.request(me, session, Target(source_id=version.source_id))
    app.work()
    with pytest.raises(ConflictError, match="for ever"):
        app.sources.change(me, version.source_id, follow=True)


def test_a_follower_that_left_the_project_or_was_trashed_is_left_alone(
    app: Harness, me: UserId, project: ProjectId
) -> None:
    version = app.imported(me, project)
    moved, trashed, stopped = (followed(app, me, version, name=name) for name in ("a", "b", "c"))
    app.sources.put_into(me, moved, app.project(me, "Elsewhere"))
    app.sources.take_from(me, moved, project)
    app.sources.delete(me, trashed)
    app.sources.change(me, stopped, follow=False)
    add_version(app, me, version.source_id, OTHER)
    app.work()
    assert app.current(me, moved).number == app.current(me, stopped).number == 1
    app.sources.restore(me, trashed)
    assert app.current(me, trashed).number == 1


def test_what_was_not_made_by_a_recipe_cannot_follow(app: Harness, me: UserId, project: ProjectId) -> None:
    version = app.imported(me, project)
    with pytest.raises(ConflictError, match="not made by a recipe"):
        app.sources.change(me, version.source_id, follow=True)
