"""Approves or rejects a version of a model."""

from argparse import ArgumentParser
from typing import Any

from hydroml.domain.models import CHAMPION, Approval
from hydroml.entrypoints.bootstrap import container
from hydroml.entrypoints.management.commands._acting import acting_user, add_user_option, model_named
from hydroml.entrypoints.management.commands._base import HydromlCommand

_VERDICTS = {"approve": Approval.APPROVED, "reject": Approval.REJECTED}


class Command(HydromlCommand):
    """What an owner of the project does."""

    help = "Approve or reject a version of a registered model, and make it the champion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="name or id")
        parser.add_argument("number", metavar="VERSION", type=int)
        parser.add_argument("verdict", choices=list(_VERDICTS))
        parser.add_argument("--reason", required=True, help="why; it stays with the version")
        parser.add_argument("--champion", action="store_true", help="point the alias “champion” to it, once approved")
        parser.add_argument("--project", metavar="NAME", help="where to look for the model (default: everywhere)")
        add_user_option(parser)

    def perform(self, **options: Any) -> None:
        user, models = acting_user(options["user"]), container().models()
        model, number = model_named(user, options["model"], options["project"]), options["number"]
        verdict = _VERDICTS[options["verdict"]]
        detail = models.decide(user, model.id, number, verdict, options["reason"])
        if options["champion"]:
            detail = models.point(user, model.id, CHAMPION, number)
        document = {"model_id": model.id, "version": number, "approval": verdict, "aliases": detail.model.aliases}
        self.tell(f"Version {number} of {model.name} is {verdict}.", document)
