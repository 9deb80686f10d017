"""Checks of what a result list shows of a page, and of its address, links and images."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from agents.seo.keyphrase import mentions, uses, wanted_stems
from agents.seo.text import BEST, Finding, Text

MAX_SLUG = 75  #: characters
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


def meta_description(name: str, text: Text) -> Finding:
    """Check the length of the meta description: 121 to 156 characters are shown in full."""
    size = len(text.meta_description.strip())
    if 121 <= size <= 156:
        return Finding(name, BEST, "")
    # Yoast gives 6 for a wrong length; we ask for a revision, since a model mends it in one go.
    return Finding(name, 5 if size else 1, f"the meta description has {size} characters; 121 to 156 are shown in full")


def keyphrase_in_meta(name: str, text: Text) -> Finding | None:
    """Check that the meta description says the keyphrase, once or twice."""
    if not text.keywords or not text.meta_description.strip():
        return None
    found = mentions(text.meta_description, text.keywords[0], text.language)
    if 1 <= found <= 2:
        return Finding(name, BEST, "")
    said = "too often" if found else "nowhere"
    return Finding(name, 3, f"the meta description says the keyphrase {text.keywords[0]!r} {said}")


# Widths in 1/1000 em from the Helvetica font metrics, which Arial shares.
_WIDTHS: Mapping[int, str] = MappingProxyType(
    {
        222: "ijl'’‘",
        278: " !,./:;ftI[]|",
        333: "()-r“”",
        500: "Jcksvxyz",
        611: "FTZ",
        667: "ABEKPSVXY&",
        722: "CDHNRUw",
        778: "GOQ",
        833: "Mm",
        889: "%",
        944: "W",
        1000: "@—…",
    }
)
_WIDTH_OF = MappingProxyType({letter: width for width, letters in _WIDTHS.items() for letter in letters})


def title_pixels(title: str) -> int:
    """Return the pixels of a title in a result list, set in Arial at 20 px.

    Letters outside the table count as wide as an "a".
    """
    return round(sum(_WIDTH_OF.get(letter, 556) for letter in title) * 20 / 1000)


def title_width(name: str, text: Text) -> Finding:
    """Check that a result list shows the title whole: 400 to 600 pixels."""
    width = title_pixels(text.title)
    if not text.title.strip():
        return Finding(name, 1, "there is no title")
    if 400 <= width <= 600:
        return Finding(name, BEST, "")
    return Finding(name, 6, f"the title is about {width} pixels wide; 400 to 600 are best")


def subject_length(name: str, text: Text) -> Finding:
    """Check that a phone shows an e-mail's subject whole: 10 to 60 characters."""
    size = len(text.title.strip())
    if 10 <= size <= 60:
        return Finding(name, BEST, "")
    return Finding(name, 5 if size else 1, f"the subject has {size} characters; 10 to 60 are shown on a phone")


def slug_of(title: str) -> str:
    """Return the last part of a page's address, made of its title: small letters, digits and hyphens."""
    folded = re.sub(r"\[[^\]]*\]", "", title).lower()
    for letter, written in (("ß", "ss"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        folded = folded.replace(letter, written)
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return found if len(found) <= MAX_SLUG else found[:MAX_SLUG].rsplit("-", 1)[0]


def keyphrase_in_slug(name: str, text: Text) -> Finding | None:
    """Check that the page's address holds more than half of the keyphrase's words."""
    if not text.keywords or not text.slug:
        return None
    wanted = wanted_stems(slug_of(text.keywords[0]).replace("-", " "), text.language)
    found = set(wanted_stems(text.slug.replace("-", " "), text.language))
    held = sum(one in found for one in wanted) / max(1, len(wanted))
    if held == 1 or (len(wanted) > 2 and held > 0.5):
        return Finding(name, BEST, "")
    return Finding(name, 6, f"the address {text.slug!r} lacks the keyphrase {text.keywords[0]!r}")


def image_alt(name: str, text: Text) -> Finding | None:
    """Check that every image has an alternative text, and that some of them say the keyphrase."""
    alts = [found[0].strip() for found in _IMAGE.findall(text.body)]
    if not alts:
        return None
    if missing := alts.count(""):
        return Finding(name, 3, f"{missing} of {len(alts)} images have no alternative text")
    if not text.keywords:
        return Finding(name, BEST, "")
    saying = sum(mentions(alt, text.keywords[0], text.language) > 0 for alt in alts)
    if not saying:
        return Finding(name, 6, f"no image's alternative text says the keyphrase {text.keywords[0]!r}")
    if len(alts) >= 5 and saying / len(alts) > 0.75:
        return Finding(name, 6, "more than 75 % of the images' alternative texts say the keyphrase")
    return Finding(name, BEST, "")


def links(name: str, text: Text) -> Finding | None:
    """Check the links: one to the brand's own site where that is known, none that gives the keyphrase away."""
    found = _LINK.findall(text.body)
    own = re.sub(r"^https?://(?:www\.)?", "", text.website.lower()).split("/")[0]
    if text.keywords:
        phrase = text.keywords[0]
        away = [words for words, to in found if own and own not in to.lower() and uses(words, phrase)]
        if away:
            return Finding(name, 3, f"the link {away[0]!r} gives the keyphrase {phrase!r} to another site")
    if not own:
        return None
    if own in text.body.lower():
        return Finding(name, BEST, "")
    return Finding(name, 6, f"the text never links to {own}")
