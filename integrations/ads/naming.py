"""Names of remote objects: they carry the effect key, by which a lost creation is found again.

    Spring sale [ma:3f2a9c0d1e5b]            campaign, campaign group, ad set
    Spring sale [ma:3f2a9c0d1e5b] r2-1f3a.1  first ad (or creative) of the second revision of the texts

The four digits are a hash of the texts: a step that is done again with other texts makes other ads, and
never mistakes those of its first run for its own.

Invariant: ``effect_key_of(remote_name(x, key)) == key`` for every name a user may write, and a name never
holds control characters or a foreign key, and is at most :data:`MAX_NAME` characters long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

#: LinkedIn takes 100 characters for a campaign group; Facebook takes 400 and Google 255 bytes.
MAX_NAME = 100
_KEY = re.compile(
    r"\[ma:(?P<key>[0-9a-f]{6,64})\](?: r(?P<token>(?P<revision>\d{1,6})-[0-9a-f]{4})\.(?P<variant>\d{1,3}))?$"
)
_ROOM_FOR_AD = len(" r999999-ffff.999")


def remote_name(name: str, effect_key: str) -> str:
    """Return a campaign's name at a platform."""
    if not re.fullmatch(r"[0-9a-f]{6,64}", effect_key):
        raise ValueError(f"effect_key={effect_key!r} is not 6 to 64 hex digits")
    tail = f"[ma:{effect_key}]"
    plain = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in unicodedata.normalize("NFC", name))
    plain = " ".join(plain.replace("[", "(").replace("]", ")").split())
    shown = plain[: MAX_NAME - len(tail) - 1 - _ROOM_FOR_AD].rstrip()
    return f"{shown} {tail}" if shown else tail


def ad_name(name: str, effect_key: str, token: str, variant: int) -> str:
    """Return the name of one ad.

    ``token`` says which texts (``AdSpec.token``), ``variant`` counts from 1.
    """
    return f"{remote_name(name, effect_key)} r{token}.{variant}"


def effect_key_of(name: str) -> str:
    """Return the key in a remote name, "" for a name that isn't ours."""
    found = _KEY.search(name)
    return found["key"] if found else ""


@dataclass(frozen=True, slots=True)
class AdLabel:
    """What an ad's name says about it."""

    revision: int = 1
    token: str = "1-0000"  #: revision and hash of the texts
    variant: int = 1


def label_of(name: str) -> AdLabel:
    """Return the label in an ad's name, that of the first ad of a first revision for a name without one."""
    found = _KEY.search(name)
    if not found or not found["token"]:
        return AdLabel()
    return AdLabel(int(found["revision"]), found["token"], int(found["variant"]))


def current_names(ads: Mapping[str, bool]) -> list[str]:
    """Return the names of a campaign's current ads: all of the newest texts of which one is shown, else the newest.

    ``ads``: name → is it switched on? An ad that is switched off while others of the same texts are shown is current.
    """
    candidates = {name for name, shown in ads.items() if shown} or set(ads)
    newest = max((label_of(name).revision for name in candidates), default=0)
    tokens = {label.token for name in candidates if (label := label_of(name)).revision == newest}
    return sorted(name for name in ads if label_of(name).token in tokens)
