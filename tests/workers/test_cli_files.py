"""Campaign files from people: what is read, what is refused, and with which words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agents.config_problems import ConfigError
from agents.lead_generation.sources.file import FileSource
from orchestration.control.lead_paths import read_files
from workers.cli.files import CampaignFileError, check_lead_files, load_config, read_mapping, with_change

NESTED = "[" * 20_000
#: Nine times nine times ... a small file that means a billion values.
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "too big": ("a.yaml", b"x" * 10_000_000, "is larger than 1 MB"),
    "binary": ("a.yaml", bytes(range(128, 256)), "is not UTF-8 text"),
    "NUL bytes": ("a.yaml", b"name: \x00", "NUL byte"),
    "control characters": ("a.yaml", b"name: \x1b[2J", "is not valid YAML"),
    "empty": ("a.yaml", b"", "is empty"),
    "only comments": ("a.yaml", b"# nothing\n", "is empty"),
    "a list": ("a.yaml", b"- a\n- b\n", "holds a list"),
    "a word": ("a.yaml", b"hello", "holds text"),
    "syntax": ("a.yaml", b"name: [a\nb: }", "line 2, column 2: is not valid YAML"),
    "a key twice": ("a.yaml", b"name: a\nbudget: 1\nname: b\n", "line 3: the key 'name' is there twice"),
    "a key twice, deeper": ("a.yaml", b"brand:\n  name: a\n  name: b\n", "line 3: the key 'name' is there twice"),
    "a key that is no word": ("a.yaml", b"{[a]: b}", "a key must be a word"),
    "a number as key": ("a.yaml", b"1: b", "the key 1 is a number"),
    "two documents": ("a.yaml", b"name: a\n---\nname: b\n", "is not valid YAML"),
    "alias bomb": ("a.yaml", BOMB.encode(), "more than 50,000 values"),
    "alias in a circle": ("a.yaml", b"a: &a [*a]\n", "refers to itself"),
    "deep nesting": ("a.yaml", b"a: " + NESTED.encode(), "nested too deeply"),
    "code": ("a.yaml", b"a: !!python/object/apply:os.system [id]", "is not valid YAML"),
    "impossible date": ("a.yaml", b"a: 2026-99-99", "is not valid YAML"),
    "JSON syntax": ("a.json", b'{"name": }', "line 1, column 10: is not valid JSON"),
    "JSON key twice": ("a.json", b'{"name": 1, "name": 2}', "the key 'name' is there twice"),
    "JSON without numbers": ("a.json", b'{"budget": NaN}', "NaN is not a number"),
    "JSON huge number": ("a.json", b'{"budget": ' + b"9" * 5000 + b"}", "is not valid JSON"),
    "JSON deep nesting": ("a.json", NESTED.encode(), "nested too deeply"),
    "JSON empty": ("a.json", b" \n", "is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_campaign_file_is_refused(case: str, tmp_path: Path) -> None:
    name, content, said = REFUSED[case]
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(CampaignFileError) as refusal:
        read_mapping(str(file))
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\x00b"])
def test_what_can_not_be_opened_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(CampaignFileError, match="can't be read"):
        read_mapping(os.path.join(tmp_path, name))


def test_an_endless_file_is_read_to_the_limit_only() -> None:
    with pytest.raises(CampaignFileError, match="larger than 1 MB"):
        read_mapping("/dev/zero")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "﻿name: Ä\ntarget_audience: {industry: saas}\n"),
        ("a.json", '{"name": "Ä", "target_audience": {"industry": "saas"}}'),
        ("a.yml", "base: &b {industry: saas}\nname: Ä\ntarget_audience:\n  <<: *b\n"),
    ],
)
def test_yaml_and_json_are_read(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    found = read_mapping(str(file))
    assert (found["name"], found["target_audience"]) == ("Ä", {"industry": "saas"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("budget=500", {"budget": 500}),
        ("brand.name=North: light", {"brand": {"voice": "plain", "name": "North: light"}}),
        ("brand={name: X}", {"brand": {"name": "X"}}),
        ("sources.1.limit=3", {"sources": [{"a": 1}, {"b": 2, "limit": 3}]}),
        ("new.key.deep=[a, b]", {"new": {"key": {"deep": ["a", "b"]}}}),
        ("name=", {"name": None}),
        ("name=a=b", {"name": "a=b"}),
    ],
)
def test_a_change_reaches_its_key_and_no_other(change: str, expected: dict[str, Any]) -> None:
    data = {"brand": {"voice": "plain"}, "sources": [{"a": 1}, {"b": 2}], "budget": 1, "name": "x"}
    before = repr(data)
    if ": " in change and not change.startswith("brand={"):
        change = change.replace("North: light", "'North: light'")
    assert with_change(data, change) == {**data, **expected}
    assert repr(data) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("budget", "write key=value"),
        ("=5", "write key=value"),
        ("a..b=5", "write key=value"),
        ("name.first=x", "can't be set inside text"),
        ("sources.7.a=1", "'7' is no place in a list of 1"),
        ("sources.x=1", "'x' is no place"),
        ("name=[a", "--set name: line 1"),
        ("name={a: 1, a: 2}", "is there twice"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(change: str, said: str) -> None:
    with pytest.raises(CampaignFileError) as refusal:
        with_change({"name": "x", "sources": [{}]}, change)
    assert said in str(refusal.value)


def test_lead_files_lie_beside_the_campaign_file(tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    elsewhere = tmp_path / "elsewhere.csv"
    file.write_text(
        "target_audience: {industry: saas}\n"
        f"lead_sources: [{{type: file, path: leads/a.csv}}, {{type: file, path: {elsewhere}}}, {{type: search}}]\n"
    )
    config = load_config(str(file))
    found = [source.path for source in config.lead_sources if isinstance(source, FileSource)]
    assert found == [str(tmp_path / "leads/a.csv"), str(elsewhere)]
    elsewhere.write_text("email\n")
    with pytest.raises(ConfigError) as refusal:
        check_lead_files(config)
    assert [problem.partition("=")[0] for problem in refusal.value.problems] == ["lead_sources.0.path"]


def test_a_configuration_that_is_not_right_lists_every_problem(tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text("target_audience: {}\nbudgett: 3\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(str(file), ["budget=-5", "ad_platforms=[tiktok]"])
    said = "\n".join(refusal.value.problems)
    for expected in (
        "budget=-5",
        "'tiktok' is not an ad platform",
        "target_audience: is empty",
        "did you mean 'budget'",
    ):
        assert expected in said


def test_a_lead_file_has_one_limit(tmp_path: Path) -> None:
    leads, campaign = tmp_path / "leads.csv", tmp_path / "campaign.yaml"
    campaign.write_text("target_audience: {industry: saas}\nlead_sources: {type: file, path: leads.csv}\n")
    config = load_config(str(campaign))
    largest = FileSource(path="any.csv").plugin.max_file_bytes
    for size, said in ((largest, "leads.csv: is empty"), (largest + 1, "is larger than 100 MB; split it")):
        with leads.open("wb") as file:
            file.truncate(size)
        with pytest.raises(ConfigError, match=said):
            read_files(config)
