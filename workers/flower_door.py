"""What stands before every page of Flower: a login, the names it is served under, and no frames.

Flower on loopback can be reached by every user of the machine, and by pages of the Internet that rebind their name to
127.0.0.1 in a browser here. So, on all pages, the API and what others add to Flower's process:

* A login is needed, for the metrics too. FLOWER_BASIC_AUTH or OAuth (FLOWER_AUTH) says which; without either one is
  generated and kept in ``run/flower.login`` of MARKETING_HOME.
* The Host header must be a name of loopback, Flower's own address or one of FLOWER_ALLOWED_HOSTS.
* No other site may show a page in a frame.

Open are only ``/healthcheck``, under any name too, and the files of styles and scripts, which hold no data.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Collection
from typing import TYPE_CHECKING, Any

from flower.app import Flower
from flower.views import BaseHandler
from flower.views.auth import LoginHandler, LogoutHandler
from flower.views.error import NotFoundErrorHandler
from flower.views.monitor import Healthcheck, Metrics
from kombu.utils import symbol_by_name
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RedirectHandler, RequestHandler

from integrations.settings import Settings
from workers.services.home import Home, kept_secret

if TYPE_CHECKING:
    from tornado.web import _HandlerDelegate

USER = "marketing"
#: Addresses that mean "all": they are no name under which Flower is asked for.
_ALL = ("", "0.0.0.0", "::")


def generated_login(home: Home) -> str:
    """Return ``user:password`` for Flower, generated at the first call.

    Raises ServiceError when it can't be kept.
    """
    return kept_secret(home.run / "flower.login", prefix=f"{USER}:")


def host_name(text: str) -> str:
    """Return the name or address in a Host header or setting, without port, brackets and final dot."""
    text = text.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return (text.partition(":")[0] if text.count(":") == 1 else text).removesuffix(".")


def is_served(name: str, allowed: Collection[str]) -> bool:
    """Return whether a name of the Host header is loopback's or one of ``allowed``."""
    if name == "localhost" or name in allowed:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class ClosedFlower(Flower):  # type: ignore[misc]  # Flower has no types
    """Flower behind the door."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        settings = Settings.from_env()
        if not (self.options.basic_auth or self.options.auth):
            self.options.basic_auth = [generated_login(Home(settings.home).create())]
        told = {self.options.address} - set(_ALL)
        self.allowed_hosts = {host_name(name) for name in (*settings.flower_allowed_hosts, *told)}

    def get_handler_delegate(
        self, request: HTTPServerRequest, target_class: type[RequestHandler], *args: Any, **kwargs: Any
    ) -> _HandlerDelegate:
        """Put the door before the handler of a request."""
        prefix = (self.options.url_prefix or "").strip("/")
        needs_login = issubclass(target_class, BaseHandler) and target_class is not Healthcheck
        if prefix and request.path == f"/{prefix}":
            target_class, args, kwargs = RedirectHandler, ({"url": f"/{prefix}/", "permanent": False},), {}
        elif target_class in (LoginHandler, LogoutHandler):
            needs_login = not self.options.auth
            if target_class is LoginHandler:  # it makes a handler of this class in its own place
                target_class = symbol_by_name(  # type: ignore[no-untyped-call]  # kombu is untyped
                    self.options.auth_provider or NotFoundErrorHandler
                )
        delegate: _HandlerDelegate = super().get_handler_delegate(
            request, _behind_the_door(target_class, needs_login=needs_login), *args, **kwargs
        )
        return delegate


class _Door(RequestHandler):
    """Goes before the class of a handler."""

    application: ClosedFlower
    needs_login: bool

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", "frame-ancestors 'none'")

    def prepare(self) -> Awaitable[None] | None:
        name = host_name(self.request.host)
        if not isinstance(self, Healthcheck) and not is_served(name, self.application.allowed_hosts):
            raise HTTPError(421, f"Flower isn't served under this name: add {name} to FLOWER_ALLOWED_HOSTS")
        if self.needs_login:
            try:
                known = self.current_user  # with basic_auth, HTTPError(401) asks for the login
            except TypeError:  # Flower compares ASCII only
                raise HTTPError(401) from None
            if not known and isinstance(self, Metrics):  # other pages lead to OAuth's login by themselves
                raise HTTPError(403, "the metrics need the session of a login")
        return super().prepare()


def _behind_the_door(handler: type[RequestHandler], *, needs_login: bool) -> type[RequestHandler]:
    key = handler, needs_login
    if key not in _made:
        _made[key] = type(handler.__name__, (_Door, handler), {"needs_login": needs_login})
    return _made[key]


#: classes made, by the class that they put the door before and whether that needs a login
_made: dict[tuple[type[RequestHandler], bool], type[RequestHandler]] = {}
