"""What steps learn from data."""

from contextlib import nullcontext

from hydroml.adapters.tables.learning import Learning
from hydroml.adapters.tables.steps import LEARNERS
from hydroml.adapters.tables.views import Views
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import Fitted, Step


def fit(views: Views, table: Table, recipe: Recipe, step: Step, monitor: Monitor | None = None) -> Fitted:
    """What the step learns from the table after the recipe; nothing for most kinds of step."""
    learn = LEARNERS.get(type(step))
    if learn is None or not step.learns:
        return {}
    columns = {column.name: column for column in views.plan(table.columns, recipe).columns}
    patient = monitor is not None
    with (
        views.opened(table, recipe, patient=patient) as opened,
        views.connection(opened, patient=patient) as connection,
        nullcontext() if monitor is None else connection.monitored(monitor),
    ):
        plan = opened.plan
        ask = Learning(
            columns, plan.last, plan.order, lambda select: connection.rows(plan.query(opened.source(), select))
        )
        return learn(ask, step)
