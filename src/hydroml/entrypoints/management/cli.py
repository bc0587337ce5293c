"""The console script `hydroml`: one list of commands, whoever carries them out.

`serve`, `worker` and `scheduler` are not Django's business; the rest are Django management commands in `commands/`.
Listing them reads their source instead of importing it, so that `--help` costs no more than Python's own start.
"""

import argparse
import ast
import difflib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

DONE, FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

_OWN_COMMANDS = {
    "serve": "Migrate if need be, then run database, broker, worker, scheduler and web until Ctrl-C.",
    "worker": "Run background jobs until SIGTERM.",
    "scheduler": "Send what is due and take up again what was lost, until SIGTERM.",
}
_COMMANDS = Path(__file__).with_name("commands")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 wrong use. Errors take one line, or a traceback with HYDROML_DEBUG."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in {"-h", "--help", "help"}:
        print(overview())
        return DONE if given else WRONG_USE
    if given[0] == "--version":
        from importlib.metadata import version

        print(f"hydroml {version('hydroml')}")
        return DONE
    if given[0] not in commands():
        return _unknown(given[0])
    return _run(given[0], given[1:])


def _run(name: str, arguments: list[str]) -> int:
    try:
        return _runner(name)(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `hydroml … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 (the last line of defence: people get a sentence)
        if os.environ.get("HYDROML_DEBUG", "").lower() in {"1", "true", "yes", "on"}:
            traceback.print_exc()
        print(f"hydroml {name}: {_sentence(error)}", file=sys.stderr)
        return WRONG_USE if _is_configuration(error) else FAILED


def commands() -> dict[str, str]:
    """Every command with its line of help."""
    found = dict(_OWN_COMMANDS)
    for path in sorted(_COMMANDS.glob("*.py")):
        if not path.name.startswith("_"):
            found.setdefault(path.stem, _help_in(path))
    return found


def overview() -> str:
    """What `hydroml --help` prints."""
    found = commands()
    width = max(map(len, found))
    lines = [f"  {name:{width}}  {text}" for name, text in sorted(found.items())]
    return "\n".join(
        [
            "usage: hydroml COMMAND [options]",
            "",
            "From a file of measurements to a tracked model. Set by HYDROML_… variables; see README.md.",
            "",
            "commands:",
            *lines,
            "",
            "`hydroml COMMAND --help` tells its options. Exit codes: 0 done, 1 failed, 2 wrong use.",
        ]
    )


def _help_in(path: Path) -> str:
    """The text of `help = "…"` in the class of a command."""
    with suppress(OSError, SyntaxError, ValueError):
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Assign(targets=[ast.Name(id="help")], value=value):
                    return str(ast.literal_eval(value))
                case ast.AnnAssign(target=ast.Name(id="help"), value=ast.expr() as value):
                    return str(ast.literal_eval(value))
    return ""


def _unknown(name: str) -> int:
    close = difflib.get_close_matches(name, commands(), n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    print(f"hydroml: there is no command {name!r}{hint}; `hydroml --help` lists them", file=sys.stderr)
    return WRONG_USE


def _runner(name: str) -> Callable[[list[str]], int]:
    match name:
        case "serve":
            return _serve
        case "worker" | "scheduler":
            return lambda arguments: _in_worker(name, arguments)
        case _:
            return lambda arguments: _in_django(name, arguments)


def _serve(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="hydroml serve", description=_OWN_COMMANDS["serve"])
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--data-dir", type=Path, help="data folder (default: HYDROML_DATA_DIR, or ~/.local/share/hydroml)"
    )
    parser.add_argument(
        "--web-only", action="store_true", help="the web server alone: services and workers run elsewhere"
    )
    parser.add_argument("--workers", type=int, default=1, help="web processes (default: %(default)s)")
    options = parser.parse_args(arguments)

    from hydroml.entrypoints.settings import Settings
    from hydroml.entrypoints.supervisor.supervisor import ServeOptions, Supervisor

    settings = Settings(data_dir=options.data_dir) if options.data_dir else Settings()
    Supervisor(
        settings,
        ServeOptions(host=options.host, port=options.port, web_only=options.web_only, workers=options.workers),
    ).run()
    return DONE


def _in_worker(name: str, arguments: list[str]) -> int:
    from hydroml.entrypoints.settings import Settings
    from hydroml.entrypoints.supervisor.services import embedded_services

    run: Callable[[list[str]], int] = getattr(import_module("hydroml.entrypoints.worker.main"), name)
    with embedded_services(Settings(), name):
        return run(arguments)


def _in_django(name: str, arguments: list[str]) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "hydroml.entrypoints.web.settings"
    import django
    from django.core.management import CommandError, load_command_class

    from hydroml.entrypoints.settings import Settings
    from hydroml.entrypoints.supervisor.services import embedded_services

    settings = Settings()
    django.setup()
    command = load_command_class("hydroml.entrypoints", name)
    if {"-h", "--help"} & set(arguments):
        command.print_help("hydroml", name)
        return DONE
    try:  # wrong use is told before anything is started
        command.create_parser("hydroml", name).parse_args(arguments)
    except CommandError as error:
        print(f"hydroml {name}: {_sentence(error)}", file=sys.stderr)
        return WRONG_USE
    with embedded_services(settings, name):
        command.run_from_argv(["hydroml", name, *arguments])
    return DONE


def _is_configuration(error: Exception) -> bool:
    return type(error).__name__ == "ValidationError" and getattr(error, "title", "") == "Settings"


def _sentence(error: Exception) -> str:
    """One line: ours speak for themselves, others are named."""
    if _is_configuration(error):
        from pydantic import ValidationError

        if isinstance(error, ValidationError):
            parts = []
            for item in error.errors(include_url=False, include_input=False):
                variable = "_".join(["HYDROML", *map(str, item["loc"])]).upper() if item["loc"] else ""
                message = item["msg"].removeprefix("Value error, ")
                parts.append(f"{variable} {message}".strip())
            return "; ".join(parts)
    text = " ".join(str(error).split())
    speaks_for_itself = text and type(error).__module__.startswith(("hydroml.", "django.core.management"))
    return text if speaks_for_itself else f"{type(error).__name__}: {text}"
