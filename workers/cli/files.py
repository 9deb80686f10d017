"""Reading a campaign file: YAML or JSON, from people, possibly wrong, possibly hostile.

Invariant: what is too big, no text, no mapping, ambiguous (a key twice) or explosive (aliases of aliases)
is refused with a sentence before any of it is believed; reading a file executes nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from agents.config import CampaignConfig

MAX_FILE_BYTES = 1_000_000
#: Values after every alias is written out. A big honest campaign has a few thousand.
MAX_VALUES = 50_000
MAX_DIGITS = 100  #: of a number; reading one takes quadratic time
STDIN = "-"


class CampaignFileError(ValueError):
    """Raised when the campaign file, or a ``--set``, can't be used.

    The text names it and says what would be right.
    """


def load_config(file: str, changes: Sequence[str] = ()) -> CampaignConfig:
    """Read the campaign in ``file`` (``-``: stdin) with ``changes`` (``key=value``) applied.

    Paths of lead files are relative to the file's folder. Raises CampaignFileError for a file that can't be read, and
    ConfigError for a configuration that is not right.
    """
    from agents.config import CampaignConfig, FileSourceConfig

    data = read_mapping(file)
    for change in changes:
        data = with_change(data, change)
    config = CampaignConfig.parse(data)
    folder = Path() if file == STDIN else Path(file).parent
    sources = [
        source.model_copy(update={"path": str(_beside(folder, source.unread))})
        if isinstance(source, FileSourceConfig) and source.unread
        else source
        for source in config.lead_sources
    ]
    return config.model_copy(update={"lead_sources": tuple(sources)})


def check_lead_files(config: CampaignConfig) -> None:
    """Check that the lead files are there.

    Raises ConfigError when one is not. What is in it is checked at submit.
    """
    from agents.config import FileSourceConfig
    from agents.config_problems import ConfigError

    problems = [
        f"lead_sources.{number}.path={source.path!r}: there is no such file (paths are relative to the campaign file)"
        for number, source in enumerate(config.lead_sources)
        if isinstance(source, FileSourceConfig) and source.unread
        if not Path(source.unread).is_file()
    ]
    if problems:
        raise ConfigError(problems)


def read_mapping(file: str) -> dict[str, object]:
    """Read the mapping that a YAML or JSON file holds.

    Raises CampaignFileError when it holds none, and for what :func:`from_yaml` refuses.
    """
    name = "stdin" if file == STDIN else file
    text = _decode(_read(file, name), name)
    data = _from_json(text, name) if file.lower().endswith(".json") else from_yaml(text, name)
    if data is None:
        raise CampaignFileError(f"{name} is empty; a campaign needs at least target_audience")
    if not isinstance(data, dict):
        raise CampaignFileError(f"{name} holds {_kind(data)}; a campaign is a mapping of keys (name: ..., ...)")
    strange = [key for key in data if not isinstance(key, str)]
    if strange:
        raise CampaignFileError(f"{name}: the key {strange[0]!r} is {_kind(strange[0])}; keys are words")
    return data


def with_change(data: Mapping[str, object], change: str) -> dict[str, object]:
    """Return a copy of ``data`` with ``key=value`` applied.

    ``a.b=1`` reaches into mappings, ``a.0.b=1`` into lists. Raises CampaignFileError when there is no such place.
    """
    key, separator, raw = change.partition("=")
    path = key.strip().split(".")
    if not separator or not all(path):
        raise CampaignFileError(f"--set {change!r}: write key=value, for example --set budget=500")
    return _put_in(data, path, from_yaml(raw, f"--set {key.strip()}"), key.strip())


def from_yaml(text: str, name: str) -> object:
    """Return the value of a YAML text, with safe types only.

    Raises CampaignFileError when it is not valid, is nested too deeply or holds too much.
    """
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _inspect(node, name)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}:" if mark else ""
        raise CampaignFileError(f"{name}:{where} is not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, CampaignFileError):
            raise
        raise CampaignFileError(f"{name} is not valid YAML: {_one_line(error)}") from None
    except RecursionError:
        raise CampaignFileError(f"{name} is nested too deeply") from None
    finally:
        if loader is not None:
            loader.dispose()


def _inspect(root: yaml.Node, name: str) -> None:
    """Refuse doubled keys, circles, and more than MAX_VALUES values once aliases are written out."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        known = sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in open_nodes:
            raise CampaignFileError(f"{name}: line {node.start_mark.line + 1}: an alias refers to itself")
        open_nodes.add(id(node))
        total = 1
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")) and len(node.value) > MAX_DIGITS:
            raise CampaignFileError(
                f"{name}: line {node.start_mark.line + 1}: a number has at most {MAX_DIGITS} digits"
            )
        if isinstance(node, yaml.MappingNode):
            _refuse_doubles(node, name)
            total += sum(size(key) + size(value) for key, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            total += sum(size(item) for item in node.value)
        open_nodes.discard(id(node))
        sizes[id(node)] = total
        if total > MAX_VALUES:
            raise CampaignFileError(f"{name} holds more than {MAX_VALUES:,} values (aliases written out)")
        return total

    size(root)


def _refuse_doubles(node: yaml.MappingNode, name: str) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise CampaignFileError(f"{name}: line {key.start_mark.line + 1}: a key must be a word")
        if key.value in seen:
            raise CampaignFileError(f"{name}: line {key.start_mark.line + 1}: the key {key.value!r} is there twice")
        seen.add(key.value)


def _from_json(text: str, name: str) -> object:
    def pairs(items: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in items:
            if key in found:
                raise CampaignFileError(f"{name}: the key {key!r} is there twice")
            found[key] = value
        return found

    def refuse(constant: str) -> object:
        raise CampaignFileError(f"{name}: {constant} is not a number in JSON")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=refuse) if text.strip() else None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise CampaignFileError(f"{name}: {where}: is not valid JSON: {error.msg}") from None
    except ValueError as error:  # a number of thousands of digits
        if isinstance(error, CampaignFileError):
            raise
        raise CampaignFileError(f"{name} is not valid JSON: {_one_line(error)}") from None
    except RecursionError:
        raise CampaignFileError(f"{name} is nested too deeply") from None


def _read(file: str, name: str) -> bytes:
    try:
        if file == STDIN:
            content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CampaignFileError(f"{name} can't be read: {reason}") from None
    if len(content) > MAX_FILE_BYTES:
        raise CampaignFileError(
            f"{name} is larger than {MAX_FILE_BYTES // 1_000_000} MB; a campaign file is a page of YAML or JSON "
            "(leads belong in a file of their own, named in lead_sources)"
        )
    return content


def _decode(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CampaignFileError(f"{name} is not UTF-8 text (byte {error.start}); a campaign is YAML or JSON") from None
    if "\x00" in text:
        raise CampaignFileError(f"{name} is not text (it holds a NUL byte); a campaign is YAML or JSON")
    return text


def _put_in(data: Mapping[str, object], path: Sequence[str], new: object, key: str) -> dict[str, object]:
    return {**data, path[0]: _put(data.get(path[0]), path[1:], new, key)}


def _put(value: object, path: Sequence[str], new: object, key: str) -> object:
    if not path:
        return new
    first, rest = path[0], path[1:]
    if value is None or isinstance(value, Mapping):
        return _put_in(value or {}, path, new, key)
    if isinstance(value, list):
        if not first.isdecimal() or len(first) > 9 or int(first) >= len(value):
            place = f"{first[:80]!r} is no place in a list of {len(value)} (0 is the first)"
            raise CampaignFileError(f"--set {key[:80]}: {place}")
        return [_put(item, rest, new, key) if n == int(first) else item for n, item in enumerate(value)]
    raise CampaignFileError(f"--set {key}: {first!r} can't be set inside {_kind(value)}")


def _beside(folder: Path, path: str) -> Path:
    return folder / Path(path).expanduser()


def _kind(value: object) -> str:
    names = {list: "a list", str: "text", int: "a number", float: "a number", bool: "yes or no", dict: "a mapping"}
    return names.get(type(value), f"a {type(value).__name__}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
