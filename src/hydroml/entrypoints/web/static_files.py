"""The built front end, served from memory-sized files without leaving the event loop."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, for both kinds of server.

    Under ASGI the original runs in a thread and hands out a file that Django can only read as a whole, with a warning.
    The files of the front end are small: they are read at once here, and no thread is needed.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if not request.path_info.startswith(self.static_prefix):
            return self._pass_on(request)
        found = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if found is None:
            return self._pass_on(request)
        response = self.serve(found, request)
        return _ready(response) if iscoroutinefunction(self) else response

    def _pass_on(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        answer: HttpResponse | Awaitable[HttpResponse] = self.get_response(request)
        return answer

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file as file:
                content = file.read()
        response = HttpResponse(content, status=int(answer.status))
        del response["Content-Type"]
        for key, value in answer.headers:
            response[key] = value
        return response


async def _ready(response: HttpResponse) -> HttpResponse:
    return response
