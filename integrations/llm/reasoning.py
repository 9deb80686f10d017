"""Reasoning that models write before their answer, which is cut away before anything reads the text.

A draft in the reasoning looks like the answer. Marks are looked for outside of complete JSON objects only, because a
string of an answer may speak of them. Between an opening and the next closing mark stands reasoning; before a closing
mark without an opening one (a chat template has swallowed it), and after an opening mark without a closing one, too.
"""

from __future__ import annotations

import re

from integrations.llm.body import DECODER

_NAMES = (
    r"(?:\w+:)?(?:think(?:ing)?|thoughts?|reason(?:ing)?|analysis|reflection|scratchpad|inner_monologue"
    r"|chain_of_thought)"
)
_OPEN = re.compile(
    rf"<\s*{_NAMES}(?:\s[^<>/]*)?>|<\|\s*(?:(?:begin|start)_(?:of_)?)?{_NAMES}\s*\|>"
    r"|\[think(?:ing)?\]|◁think▷|<unused94>(?:thought)?",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"<\s*/\s*{_NAMES}\s*>|<\|\s*(?:/|end_(?:of_)?){_NAMES}\s*\|>|\[/think(?:ing)?\]|◁/think▷|<unused95>",
    re.IGNORECASE,
)
#: Channels of gpt-oss (Harmony): only what stands in the last channel "final" is an answer.
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w*)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
#: The same where a server drops the special tokens but not the names of the channels.
_BARE_ANALYSIS = re.compile(r"\s*(?:assistant)?(?:analysis|commentary)(?=[A-Z])")
_BARE_FINAL = "assistantfinal"
_MOST_OBJECTS = 200  #: tries to find a complete object; a text that needs more is no answer of use


def cut_reasoning(text: str) -> str:
    """Return the text without the model's reasoning, which may be nothing."""
    masked = _masked(text)
    if "<|channel|>" in masked:
        return _final(text, masked)
    if _BARE_ANALYSIS.match(masked):
        _, mark, answer = text.rpartition(_BARE_FINAL)
        return answer.strip() if mark else ""
    if not (_OPEN.search(masked) or _CLOSE.search(masked)):
        return text
    kept, at = "", 0
    while True:
        opened, closed = _OPEN.search(masked, at), _CLOSE.search(masked, at)
        if closed is None:
            return (kept + text[at : opened.start() if opened else None]).strip()
        if opened is not None and opened.start() < closed.start():
            kept += text[at : opened.start()]
        else:
            kept = ""  # the opening mark is missing: everything before this one is reasoning
        at = closed.end()


def _final(text: str, masked: str) -> str:
    """Return what the last channel "final" holds."""
    found = ""
    for channel in _CHANNEL.finditer(masked):
        end = _CHANNEL_END.search(masked, channel.end())
        if channel[1].lower() == "final":
            found = text[channel.end() : end.start() if end else None]
    return found.strip()


def _masked(text: str) -> str:
    """Return the text with every complete JSON object replaced by as many spaces."""
    parts: list[str] = []
    at, tries = 0, 0
    while tries < _MOST_OBJECTS and (start := text.find("{", at)) >= 0:
        tries += 1
        try:
            _, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start
        parts += [text[at:start], " " * (end - start) or "{"]
        at = max(end, start + 1)
    return "".join(parts) + text[at:]
