"""Repair of the markup that the standard library's parser refuses as a whole, read as browsers read it.

Invariant: what is removed is no text, link or element to a browser either.
"""

from __future__ import annotations

import re

#: A comment to browsers, up to the next ">": conditional comments, and what a plug-in of a site leaves behind.
_DECLARATION = re.compile(r"<!\[(?!CDATA\[)[^>]*>?", re.I)
_CDATA, _CDATA_ENDS = re.compile(r"<!\[CDATA\[", re.I), "]]>"


def parsable(html: str) -> str:
    """Return a page without the declarations that are comments to a browser, and without CDATA that never ends.

    A page without markup ends in a line break: Beautiful Soup takes a line like "http://a.example" for a mistake.
    """
    if "<" not in html:
        return f"{html}\n"
    if "<![" not in html:
        return html
    text = _DECLARATION.sub(" ", html)
    end = text.rfind(_CDATA_ENDS) + 1
    return text[:end] + _CDATA.sub(" ", text[end:])
