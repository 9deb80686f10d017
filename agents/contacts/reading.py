"""What a reader, or their program, makes of a text: characters made plain, disguises undone.

Pure. Each function takes a text and returns it with one kind of disguise less. Positions are lost: readings are for
matching only, never for showing.
"""

from __future__ import annotations

import html
import re
import unicodedata

from agents.contacts.contact import is_suffix, words

_CODED = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
#: Seen as nothing though they count as letters or symbols: joiners, fillers, an empty braille cell.
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u2800\u3164\uffa0")
OVERRIDES = frozenset("\u202d\u202e\u2067")  #: what follows is shown backwards

_DOTS = dict.fromkeys(map(ord, "。｡．․·•‧∙⋅・･۔܁܂꘎⸳⸼﹒᛫˙"), ".")
_SIGNS = str.maketrans({"∕": "/", "⁄": "/", "⧸": "/", "╱": "/", "⟋": "/", "∶": ":", "꞉": ":", "ː": ":", "፡": ":"})
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"), "-")
#: Letters of other alphabets that look like Latin ones, and Latin small capitals.
_LOOKS = str.maketrans(
    "авеіјкмноԛрѕсԁтухһԝӏցгпАВЕІЈКМНОРЅСТУХαβειικνορτυχγηωΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսհզıɑɡᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "abeijkmhoqpscdtyxhwlgrnABEIJKMHOPSCTYXaBeiiknoptuxynwABEZHIKMNOPTYXonuhqiagabcdefghijklmnoprstuvwyz",
)
_OPEN, _CLOSE = r"\s?[\[({<«⟨]\s?", r"\s?[\])}>»⟩]\s?"
_WORD = r"(?<![\w-])[\w-]{1,63}"  #: a whole one: every pattern stays linear
_DOT = r"(?:dot|d\s?o\s?t|d0t|punkt|point|punto|ponto|punt|kropka|точка)"
_AT = r"(?:at|ät|arobase|arobas|arroba|klammeraffe|chiocciola|chez|собака)"
_MARKED = r"[_*|~=+]{1,3}"
_BRACKETED_DOT = re.compile(rf"{_OPEN}(?:{_DOT}|\.){_CLOSE}", re.IGNORECASE)
_BRACKETED_AT = re.compile(rf"{_OPEN}(?:{_AT}|@){_CLOSE}", re.IGNORECASE)
_BRACKETED_COLON = re.compile(rf"{_OPEN}:{_CLOSE}")
_MARKED_DOT = re.compile(rf"\s?{_MARKED}\s?{_DOT}\s?{_MARKED}\s?|\s+-\s?{_DOT}\s?-\s+", re.IGNORECASE)
_MARKED_AT = re.compile(rf"\s?{_MARKED}\s?{_AT}\s?{_MARKED}\s?|\s+-\s?{_AT}\s?-\s+", re.IGNORECASE)
_SPACED = re.compile(r"(?<!\S)(?:\S ){5,}\S(?!\S)")
#: Words before "dot com" that are no name: "the dot com years", "buy a .com".
_NO_NAMES = words(
    "a an the this that these our your their its my his her any every each some no of for on in to and or new old"
    " first early post pre in since during with by from as is was it der die das ein eine dem den des im am un une le"
    " la les du au el los las este ese ese del al o um uma el lo polka get buy use"
)
#: Top level domains that are words of a sentence: "the dot in it", "that dot is blue".
_WORDS = words(
    "in is it to me at be no so my as am us by do or we he are on an the a of and with by for from if new now one"
    " here you all how able plus"
)
#: What may follow "point", "punto" or "Punkt" as a word: these are everyday words, and so are ".de" and ".es".
_AFTER = {
    "punkt": words("com net org de io eu info biz shop app online ch co dev"),
    **dict.fromkeys(
        ("point", "punto", "ponto"),
        words("com net org fr io eu info biz shop app online site store mx cl pt br uk ch dev"),
    ),
}
_SAID_MAIL = re.compile(
    rf"(?<![\w.+-])(?P<user>[\w.+-]{{1,64}})\s(?P<at>{_AT})\s"
    rf"(?P<host>[\w-]{{1,63}}(?:\s?(?:\.|\s{_DOT}\s)\s?[\w-]{{1,63}}){{1,6}})",
    re.IGNORECASE,
)
_SAID_DOTS = re.compile(rf"{_WORD}(?: {_DOT} [\w-]{{1,63}}){{1,6}}", re.IGNORECASE)
_HYPHENED_DOT = re.compile(r"(?<!\w)(?P<name>\w{1,63})(?P<dot>[-/]dot[-/])(?P<end>com|net|org|io|de)\b", re.IGNORECASE)
#: The dots left out where nobody misses them.
_LEFT_OUT = re.compile(
    r"\bwww\s(?P<name>[\w-]{1,63})\s(?P<end>[^\W\d_]{2,20})\b"
    r"|(?<![\w-])(?P<site>[\w-]{1,63}) (?P<common>com|net|org)(?=/\w)|\b(?P<short>t|wa) (?P<me>me)(?=/\w)"
    r"|\b(?P<box>gmail|googlemail|outlook|hotmail|yahoo|icloud|protonmail) (?P<com>com)\b",
    re.IGNORECASE,
)
_LOOSE_DOT = re.compile(
    r"(?<![\w-])(?P<name>[\w-]{1,63})(?:\s\.\s?(?P<end>[^\W\d_]{2,20})|\.\s(?P<common>com|net|org|info|biz)|,(?P<comma>com|net|org))\b"
    r"(?!\s(?:domains?|tlds?|address|extension|endings?)\b)"
)


def decoded(text: str) -> str:
    """Undo HTML entities, escapes of program text and percent-encoding, also when they are nested."""
    text = _ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    for _ in range(4):
        before = text
        text = _CODED.sub(_percent, html.unescape(text))
        if text == before:
            break
    return text


def plain(text: str) -> str:
    """Return a text in plain characters: compatibility forms folded, invisible ones gone, look-alike dots as dots.

    Each run of spaces is one, or one line break.
    """
    kept = []
    for char in unicodedata.normalize("NFKC", decoded(text).translate(_DOTS)):
        kind = unicodedata.category(char)
        digit = None if char.isascii() else unicodedata.digit(char, None)
        if digit is not None:
            kept.append(str(digit))
        elif char in "\n\t" or kind == "Cc":
            kept.append("\n" if char == "\n" else " ")
        elif kind not in ("Cf", "Mn", "Me", "Co", "Cn") and char not in _EMPTY:
            kept.append(_regional(char))
    folded = unicodedata.normalize("NFKC", "".join(kept)).translate(_DOTS).translate(_SIGNS).translate(_DASHES)
    folded = re.sub(r"\s+", lambda space: "\n" if "\n" in space[0] else " ", folded)
    return re.sub(r"(?<=[^\W\d_])°(?=[^\W\d_])", ".", folded)


def _regional(char: str) -> str:
    """Return the letter of a regional indicator, or of a letter in a dark circle or square."""
    for first, count in ((0x1F1E6, 26), (0x1F150, 26), (0x1F170, 26)):
        if first <= ord(char) < first + count:
            return chr(ord("a") + ord(char) - first)
    return char


def latin(text: str) -> str:
    """Return a text whose words are written in Latin letters where they look as if they were."""
    if text.isascii():
        return text
    return re.sub(r"\S+", lambda found: _ascii_or_same(found[0]), text)


def _ascii_or_same(word: str) -> str:
    looked = word.translate(_LOOKS)
    return looked if looked.isascii() else word


def undisguised(text: str) -> str:
    """Undo what people write instead of a dot or an at sign: words, brackets, spaces."""
    text = _SPACED.sub(_joined, text)
    text = re.sub(r"\bh[tx*]{2}p(s?)(?=\W)", r"http\1", text, flags=re.IGNORECASE)
    text = _BRACKETED_COLON.sub(":", _BRACKETED_AT.sub("@", _BRACKETED_DOT.sub(".", text)))
    text = _MARKED_AT.sub("@", _MARKED_DOT.sub(".", text))
    text = re.sub(r"(?<=\w)\s?@\s?(?=\w)", "@", text)
    text = _SAID_MAIL.sub(_mail, text)
    text = re.sub(r"\sslash\s", "/", re.sub(r"\bwww dot ", "www.", text, flags=re.IGNORECASE), flags=re.IGNORECASE)
    text = _SAID_DOTS.sub(_dots, text)
    text = _HYPHENED_DOT.sub(_named, text)
    text = _LEFT_OUT.sub(lambda found: ".".join(filter(None, found.groups())), text)
    return _LOOSE_DOT.sub(_loose, text)


def _percent(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("%", "")).decode()
    except UnicodeDecodeError:
        return found[0]


def _joined(found: re.Match[str]) -> str:
    return found[0].replace(" ", "") if re.search(r"[^\W\d]", found[0]) else found[0]


def _mail(found: re.Match[str]) -> str:
    host = re.sub(rf"\s*(?:\.|\s{_DOT}\s)\s*", ".", found["host"], flags=re.IGNORECASE).lower()
    name, end = host.split(".")[0], host.rpartition(".")[2]
    spoken = found["at"].lower() in ("at", "chez")
    if name in _NO_NAMES or not is_suffix(end) or (spoken and end in _WORDS):
        return found[0]
    if spoken and "." in found["host"]:  # "order at acme.com": the site stands by itself
        return found[0]
    return f"{found['user']}@{host}"


def _dots(found: re.Match[str]) -> str:
    """Join the longest run of said labels that ends like a domain."""
    parts = re.split(rf" ({_DOT}) ", found[0], flags=re.IGNORECASE)
    labels, words = parts[::2], [word.lower() for word in parts[1::2]]
    for last in range(len(labels) - 1, 0, -1):
        end, word = labels[last].lower(), words[last - 1]
        may = end in _AFTER[word] if word in _AFTER else end not in _WORDS
        if may and is_suffix(end) and labels[last - 1].lower() not in _NO_NAMES:
            rest = "".join(f" {word} {label}" for word, label in zip(words[last:], labels[last + 1 :], strict=True))
            return ".".join(labels[: last + 1]) + rest
    return found[0]


def _named(found: re.Match[str]) -> str:
    return found[0] if found["name"].lower() in _NO_NAMES else f"{found['name']}.{found['end']}"


def _loose(found: re.Match[str]) -> str:
    end = found["end"] or found["common"] or found["comma"]
    if found["name"].lower() in _NO_NAMES or not is_suffix(end.lower()) or end == "NET" or end.istitle():
        return found[0]
    return f"{found['name']}.{end}"
