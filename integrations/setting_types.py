"""Types of settings, which parse and check the text of an environment variable.

Each is a type of pydantic's with one sentence for people: what would have been right. Invariant: an error never holds
the value itself, so that it may be shown for a secret, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from integrations.llm.prices import Price, parse_prices
from integrations.redis_url import RedisUrl


def right(text: str) -> WrapValidator:
    """Say ``is not <text>`` about a value that the type doesn't take, instead of pydantic's own words."""

    def check(value: object, inner: ValidatorFunctionWrapHandler) -> object:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(f"is not {text}") from None

    return WrapValidator(check)


def _lower(text: str) -> str:
    return text.lower()


def _host_and_port(text: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), port


def _amount_in_usd(text: str) -> str:
    amount, _, currency = text.partition(" ")
    if currency.strip().upper() not in ("", "USD"):
        raise ValueError(currency)
    return amount


def _prices(text: str) -> Mapping[str, Price]:
    try:
        return parse_prices(text)
    except ValueError as error:
        raise ValueError(
            f"has {str(error)!r}, which is not model=input:cached:output in USD per million tokens, "
            "for example llama3:8b=0.10:0.05:0.40 (several are separated by commas)"
        ) from None


def _redis_url(text: str) -> str:
    RedisUrl.parse(text)
    return text


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), right("a number of seconds >= 0")]
PositiveSeconds = Annotated[float, Field(gt=0, allow_inf_nan=False), right("a number of seconds > 0")]
Count = Annotated[int, Field(ge=1), right("a whole number from 1")]
Port = Annotated[int, Field(ge=0, le=65535), right("a port number (0-65535)")]
HostPort = Annotated[
    tuple[Annotated[str, Field(min_length=1)], Annotated[int, Field(ge=1, le=65535)]],
    BeforeValidator(_host_and_port),
    right("host:port, for example 127.0.0.1:5353"),
]
#: An amount of money that the ledger can hold.
Amount = Annotated[Decimal, Field(ge=0, lt=10**10, allow_inf_nan=False)]
Usd = Annotated[Amount, BeforeValidator(_amount_in_usd), right("an amount of USD, for example 25 or 2.50")]
Currency = Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$"), AfterValidator(str.upper)]
Money = Annotated[
    tuple[Amount, Currency], BeforeValidator(str.split), right("an amount and its currency, for example 500 EUR")
]
Prices = Annotated[Mapping[str, Price], BeforeValidator(_prices)]
#: In a form of :mod:`integrations.redis_url`.
RedisAddress = Annotated[str, AfterValidator(_redis_url)]
Folder = Annotated[Path, AfterValidator(Path.expanduser)]


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(","))


_HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.:-]+$")]
HostNames = Annotated[
    tuple[_HostName, ...],
    BeforeValidator(_names),
    right("names or addresses without ports, separated by commas, for example flower.example.com"),
]
Logins = Annotated[
    str,
    StringConstraints(pattern="^[^:,]+:[^,]+(,[^:,]+:[^,]+)*$"),
    right("user:password (several are separated by commas, so that a password has none)"),
]
UrlPrefix = Annotated[str, StringConstraints(pattern=r"^[\w./~-]+$"), right("a path, for example flower")]
Placement = Annotated[Literal["auto", "local", "chord"], BeforeValidator(_lower), right("one of auto, local, chord")]
StructuredMode = Annotated[
    Literal["json_schema", "function_calling", "json_mode"],
    BeforeValidator(_lower),
    right("one of json_schema, function_calling, json_mode"),
]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower), right("one of text, json")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    BeforeValidator(str.upper),
    right("one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
]
