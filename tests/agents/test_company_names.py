"""Companies by their names: legal forms, scripts, spellings, and the domains that are called after them."""

from __future__ import annotations

import pytest

from agents.lead_generation.company_names import company_key, company_name
from agents.lead_generation.name_forms import name_forms, one_person, person_forms


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["Brandt GmbH & Co. KG", "BRANDT", "Brandt mbH", "Brandt AG", "Brandt e.K.", "The Brandt Company"], "brandt"),
        (["Rossi S.r.l.", "Rossi SRL", "Rossi S.p.A.", "Rossi s.n.c.", "Rossi, Inc.", "Rossi S.a.s."], "rossi"),
        (["Nowak Sp. z o.o.", "Nowak sp. z o. o.", "Nowak S.A.", "NOWAK Spółka z o.o.", "P.P.H.U. Nowak"], "nowak"),
        (["Holm A/S", "Holm ApS", "Holm AB", "Holm Oy", "Holm AS", "AB Holm", "Holm AB (publ)", "Holm K/S"], "holm"),
        (["Kovács Kft.", "Kovacs Zrt", "Kovács Nyrt.", "Kovács Bt"], "kovacs"),
        (["Dvořák s.r.o.", "Dvorak, spol. s r.o.", "Dvořák a.s."], "dvorak"),
        (["Silva Ltda.", "Silva S/A", "Silva, S.A. de C.V.", "Silva S. de R.L. de C.V.", "Silva Lda"], "silva"),
        (["Tanaka K.K.", "Tanaka Co., Ltd.", "Tanaka G.K."], "tanaka"),
        (["株式会社田中", "田中株式会社", "㈱田中", "有限会社 田中"], "田中"),
        (["华光科技有限公司", "华光科技股份有限公司"], "华光科技"),
        (["주식회사 한빛", "(주)한빛", "한빛"], "한빛"),
        (["ООО «Вектор»", "Вектор, ООО", "ЗАО Вектор", "ПАО «Вектор»"], "вектор"),
        (["Tan Sdn. Bhd.", "Tan Pte. Ltd.", "Tan Pty Ltd", "PT Tan Tbk", "Tan Pvt. Ltd."], "tan"),
        (["Yılmaz San. ve Tic. Ltd. Şti.", "Yilmaz A.Ş."], "yilmaz"),
        (["L.L.C. Partners LLC", "LLC Partners"], "llc partners"),
        (["AG"], "ag"),
    ],
)
def test_legal_forms(names: list[str], key: str) -> None:
    assert {company_key(name) for name in names} == {key}


def test_two_spellings_are_one_name() -> None:
    assert set(name_forms("Jörg Müller")) == {"jorg muller", "joerg mueller"}
    assert set(company_name("Bäcker AG").forms) & set(company_name("Baecker").forms)
    assert set(person_forms("Łucja Żuk")) & set(person_forms("Lucja Zuk"))
    assert person_forms("Dan G. Lewis") == person_forms("Dan Lewis")
    assert not set(name_forms("Michael Kern")) & set(name_forms("Michal Kern"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ann Reed", "A. Reed", True),
        ("Ann Reed", "Ann Reed-Stone", True),
        ("Ann Reed", "Ann Stone", True),
        ("Reed Ann", "Ann Reed", True),
        ("Bob Reed", "Robert Reed", True),
        ("Alex Reed", "Alexander Reed", True),
        ("Ann Reed", "Reed", True),
        ("Ann Reed", "Ben Reed", False),
        ("Ann Reed", "Ben Stone", False),
        ("A. Reed", "B. Reed", False),
    ],
)
def test_names_at_one_mailbox(one: str, other: str, same: bool) -> None:
    assert one_person(one, other) is one_person(other, one) is same


@pytest.mark.parametrize(
    ("company", "label", "at_home"),
    [
        ("Stone Software GmbH", "stone", True),
        ("Stone Software GmbH", "stonegroup", True),
        ("International Business Machines", "ibm", True),
        ("Acme", "getacme", True),
        ("Reed Bakery", "tonline", False),
        ("AI", "airbus", False),
    ],
)
def test_domains_called_after_a_company(company: str, label: str, at_home: bool) -> None:
    assert company_name(company).at_home(label) is at_home
