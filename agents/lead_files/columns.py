"""Which column of a file fills which field: by its header, by its cells, or because the campaign says so.

Columns of one field are all kept, in the order in which they are preferred. Invariant: a header that is known is
believed unless none of its cells fits and they are clearly something else; cells alone name a field only when the file
has no column of that field by its header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.config_problems import ConfigError
from agents.lead_files.addresses import addresses
from agents.lead_files.header_words import FIELDS, Meaning, is_blocked, meaning, words_of
from agents.lead_files.values import GOOD, read, read_emails
from agents.lead_generation.person_text import is_title

_MOSTLY = 0.8  #: share of the cells that must fit for a column to be known by them
_MATCHING = 0.4  #: share of names and companies that must agree with the addresses beside them
#: ranges of employees as networks and statistics have them
_BANDS = frozenset(
    {"1-10", "2-10", "1-9", "10-49", "11-50", "51-200", "50-249", "201-500", "501-1000", "1001-5000", "5001-10000"}
    | {"10001+", "10000+"}
)
_LEGAL_FORM = re.compile(
    r"(?:^|[\s,.])(?:inc|llc|ltd|limited|corp|corporation|gmbh|ag|kg|ohg|se|ug|e\.?k|s\.?a|s\.?a\.?s|sarl|s\.?r\.?l"
    r"|s\.?p\.?a|s\.?l|b\.?v|n\.?v|oy|ab|a/?s|lda|ltda|plc|pty|co|company|group|holding|sp\. z o\.o|s\.r\.o|kft)\.?$"
    r"|株式会社|有限会社|有限公司|公司",
    re.I,
)
_OF_PERSON = frozenset({"email", "name", "first_name", "last_name"})
_EITHER = {"domain": "profile_url", "profile_url": "domain"}  #: a link may be the one or the other: each cell tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a column is used for."""

    index: int
    header: str
    meaning: Meaning
    known_by: str


def choose(
    headers: Sequence[str],
    sample: Sequence[Sequence[str]],
    given: Mapping[str, str] | None = None,
    *,
    shown: str = "file",
) -> list[Use]:
    """Return the columns that are used, those of one field in the order in which they are preferred.

    ``sample`` are rows below the header. ``given`` names the header of a field, which no other column fills then.
    Raises ConfigError when it names a field or a header that is not there.
    """
    fixed = _given(headers, given or {}, shown)
    taken, fields = {use.index for use in fixed}, {use.meaning.field for use in fixed}
    cells = {index: _filled(sample, index) for index in range(len(headers))}
    by_header: list[Use] = []
    others: list[Use] = []  # of another person in the same row
    unknown: list[int] = []
    for index, header in enumerate(headers):
        if index in taken:
            continue
        said = meaning(header) if header.strip() else None
        if said is not None and said.another:
            others.append(Use(index=index, header=header, meaning=said, known_by="header"))
        elif said is not None and (said.field in fields or not _contradicted(said, cells[index])):
            by_header.append(Use(index=index, header=header, meaning=said, known_by="header"))
        elif said is not None or not is_blocked(header):
            unknown.append(index)
    found = fixed + [use for use in by_header if use.meaning.field not in fields]
    known = {use.meaning.field for use in found}
    found += [use for use in others if not known & _OF_PERSON and use.meaning.field not in fields]
    known = {use.meaning.field for use in found}
    found += _by_cells(headers, unknown, cells, known, sample, found)
    also = [
        replace(use, meaning=Meaning(field=other, rank=use.meaning.rank + 6))
        for use in found
        if use.known_by != "given" and (other := _EITHER.get(use.meaning.field)) and other not in fields
    ]
    return sorted(found + also, key=lambda use: (FIELDS.index(use.meaning.field), use.meaning.rank, use.index))


def _given(headers: Sequence[str], given: Mapping[str, str], shown: str) -> list[Use]:
    problems, found = [], []
    for field, wanted in given.items():
        if field not in FIELDS:
            problems.append(f"{shown}: columns.{field}: is no field; fields are {', '.join(FIELDS)}")
            continue
        places = [index for index, header in enumerate(headers) if header == wanted] or [
            index for index, header in enumerate(headers) if words_of(header) == words_of(wanted) != ()
        ]
        if not places:
            there = ", ".join(repr(header[:60]) for header in headers if header.strip()) or "none"
            problems.append(
                f"{shown}: columns.{field}={wanted[:60]!r}: the file has no such header; it has {there}"[:900]
            )
            continue
        said = meaning(headers[places[0]])
        group = said.group if said and said.field == field else ""
        found.append(
            Use(
                index=places[0],
                header=headers[places[0]],
                meaning=Meaning(field=field, rank=0, group=group),
                known_by="given",
            )
        )
    if problems:
        raise ConfigError(problems)
    return found


def _filled(sample: Sequence[Sequence[str]], index: int) -> list[str]:
    return [row[index] for row in sample if index < len(row) and row[index].strip()]


def _fits(field: str, cells: Sequence[str]) -> float:
    return sum(read(field, cell).grade > 0 for cell in cells) / len(cells) if cells else 0.0


def _contradicted(said: Meaning, cells: Sequence[str]) -> bool:
    """Tell whether no cell is what the header says, and nearly all are something else."""
    if not cells or _fits(said.field, cells) > 0.1 or said.field == "opted_out":
        return False
    return _mostly_addresses(cells) or _is_profile(cells) or (said.field == "phone" and not _fits("phone", cells))


def _mostly_addresses(cells: Sequence[str]) -> bool:
    return bool(cells) and sum(bool(read_emails(cell)) for cell in cells) >= _MOSTLY * len(cells)


def _is_profile(cells: Sequence[str]) -> bool:
    return bool(cells) and sum(read("profile_url", cell).grade >= GOOD for cell in cells) >= _MOSTLY * len(cells)


def _is_size(cells: Sequence[str]) -> bool:
    plain = [re.sub(r"[\s,.']|employees|mitarbeiter|people", "", cell.lower().replace("–", "-")) for cell in cells]
    return bool(cells) and sum(cell in _BANDS for cell in plain) >= _MOSTLY * len(cells)


def _is_phone(cells: Sequence[str]) -> bool:
    good = sum(read("phone", cell).grade > 0 and bool(re.match(r"\s*'?[+(0]", cell)) for cell in cells)
    return bool(cells) and good >= _MOSTLY * len(cells)


def _varies(cells: Sequence[str]) -> bool:
    """Tell whether cells are not mostly one value, as those about a list's owner are."""
    return len(cells) < 3 or Counter(cells).most_common(1)[0][1] <= 0.5 * len(cells)


def _is_domain(cells: Sequence[str]) -> bool:
    bare = re.compile(r"\s*(?:https?://)?[\w.-]+\.[a-z]{2,}/?\s*", re.I)
    good = sum(bool(bare.fullmatch(cell)) and read("domain", cell).grade > 0 for cell in cells)
    return bool(cells) and good >= _MOSTLY * len(cells) and _varies(cells)


_SIMPLE: Sequence[tuple[str, Callable[[Sequence[str]], bool]]] = (
    ("email", lambda cells: _mostly_addresses(cells) and _varies(cells)),
    ("profile_url", _is_profile),
    ("company_size", _is_size),
    ("domain", _is_domain),
    ("phone", _is_phone),
)


def _by_cells(
    headers: Sequence[str], indexes: Sequence[int], cells: Mapping[int, Sequence[str]], known: set[str],
    sample: Sequence[Sequence[str]], found: Sequence[Use],
) -> list[Use]:  # fmt: skip
    """Return the columns without a known header whose cells tell what they are."""
    uses: list[Use] = []

    def use(index: int, field: str) -> None:
        uses.append(Use(index=index, header=headers[index], meaning=Meaning(field=field, rank=8), known_by="cells"))
        left.remove(index)

    left = list(indexes)
    for field, tells in _SIMPLE:
        if field not in known:
            for index in [index for index in left if tells(cells[index])]:
                use(index, field)
    mail = [one.index for one in [*found, *uses] if one.meaning.field == "email"]
    if not known & {"name", "first_name", "last_name"}:
        best = _best(left, lambda index: _agree(sample, index, mail, _name_agrees))
        if best is not None:
            use(best, "name")
    if "company" not in known:
        best = _best(
            left,
            lambda index: max(_share(cells[index], _LEGAL_FORM.search), _agree(sample, index, mail, _company_agrees)),
        )
        if best is not None:
            use(best, "company")
    if "job_title" not in known:
        best = _best(left, lambda index: _share(cells[index], is_title))
        if best is not None:
            use(best, "job_title")
    return uses


def _best(indexes: Sequence[int], score: Callable[[int], float]) -> int | None:
    scored = [(score(index), -index) for index in indexes]
    best = max(scored, default=(0.0, 0))
    return -best[1] if best[0] >= _MATCHING else None


def _share(cells: Sequence[str], tells: Callable[[str], object]) -> float:
    return sum(bool(tells(cell.strip())) for cell in cells) / len(cells) if cells else 0.0


def _agree(
    sample: Sequence[Sequence[str]], index: int, mail: Sequence[int], agrees: Callable[[str, str], bool]
) -> float:
    """Return how often a cell agrees with the address beside it."""
    pairs = [
        (row[index], found[0])
        for row in sample
        if index < len(row) and row[index].strip()
        for at in mail[:1]
        if at < len(row) and (found := addresses(row[at]))
    ]
    return sum(agrees(cell, address) for cell, address in pairs) / len(pairs) if pairs else 0.0


def _name_agrees(cell: str, address: str) -> bool:
    words = [word for word in words_of(cell) if len(word) > 2]
    local = "".join(words_of(address.partition("@")[0]))
    return 2 <= len(cell.split()) <= 5 and not any(map(str.isdigit, cell)) and any(word in local for word in words)


def _company_agrees(cell: str, address: str) -> bool:
    words = [word for word in words_of(cell) if len(word) > 3]
    host = "".join(words_of(address.partition("@")[2].rpartition(".")[0]))
    return any(word in host for word in words)
