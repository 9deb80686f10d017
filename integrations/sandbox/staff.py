"""Titles of the people who work at companies of the sandbox world: what they do, how high up, in whose language.

Data and a pure choice from it. The functions and seniorities are those of :mod:`agents.fit`, written as plain words, as
this layer knows no agent; they are the truth that tests hold a judgement of the titles against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

#: country as the world's cities end -> language
LANGUAGES: Mapping[str, str] = {
    **dict.fromkeys(("Germany", "Deutschland", "Austria", "Österreich", "Switzerland"), "de"),
    **dict.fromkeys(("France",), "fr"),
    **dict.fromkeys(("Spain", "España"), "es"),
    **dict.fromkeys(("Italy", "Italia"), "it"),
    **dict.fromkeys(("Netherlands", "Nederland"), "nl"),
    **dict.fromkeys(("Portugal", "Brasil"), "pt"),
    **dict.fromkeys(("Japan",), "ja"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """A function and seniority with its titles by language."""

    function: str
    level: str
    titles: Mapping[str, str]

    def title(self, language: str) -> str:
        """Return the title in a language, else in English."""
        return self.titles.get(language, self.titles["en"])


def _job(function: str, level: str, *titles: str) -> Job:
    return Job(function, level, dict(zip(("en", "de", "fr", "es", "it", "nl", "pt", "ja"), titles, strict=True)))


OWNER = _job(
    *("general", "owner", "Owner", "Inhaber", "Propriétaire", "Propietario", "Titolare", "Eigenaar", "Proprietário"),
    "オーナー",
)
MANAGING_DIRECTOR = _job(
    *("general", "executive", "Managing Director", "Geschäftsführerin", "Directrice générale", "Directora General"),
    *("Amministratore Delegato", "Algemeen directeur", "Diretora Geral", "代表取締役社長"),
)
#: Jobs that every company of some size has.
OFFICES = (
    _job(
        *("marketing", "manager", "Brand Marketing Manager", "Marketing-Managerin", "Marketing manager"),
        *("Gerente de Marketing", "Marketing Manager", "Marketingmanager", "Gerente de Marketing"),
        "マーケティングマネージャー",
    ),
    _job(
        *("hr", "manager", "HR Manager", "Personalmanagerin", "HR manager", "Gerente de Recursos Humanos"),
        *("HR Manager", "HR-manager", "Gestora de Recursos Humanos", "人事課長"),
    ),
    _job(
        *("hr", "staff", "Recruiter", "Personalreferentin", "Chargée de recrutement", "Técnica de Selección"),
        *("Addetta selezione del personale", "HR-adviseur", "Analista de RH", "採用担当"),
    ),
    _job(
        *("procurement", "head", "Head of Procurement", "Einkaufsleiter", "Responsable achats", "Jefe de Compras"),
        *("Responsabile Acquisti", "Hoofd Inkoop", "Responsável de Compras", "購買部長"),
    ),
    _job(
        *("procurement", "staff", "Buyer", "Einkäuferin", "Acheteuse", "Compradora", "Addetta acquisti", "Inkoper"),
        *("Comprador", "購買担当"),
    ),
    _job(
        *("finance", "staff", "Bookkeeper", "Buchhalterin", "Comptable", "Contable", "Contabile", "Boekhouder"),
        *("Contabilista", "経理担当"),
    ),
    _job(
        *("sales", "staff", "Inside Sales Representative", "Vertriebsmitarbeiter", "Attaché commercial"),
        *("Representante de Ventas", "Agente di vendita", "Verkoopmedewerker", "Representante comercial", "営業担当"),
    ),
    _job(
        *("it", "staff", "System Administrator", "Systemadministrator", "Administrateur système"),
        *("Administrador de Sistemas", "Sistemista", "Systeembeheerder", "Administrador de Redes", "システム管理者"),
    ),
    _job(
        *("administration", "staff", "Receptionist", "Empfangsmitarbeiterin", "Standardiste", "Recepcionista"),
        *("Segretaria", "Receptioniste", "Rececionista", "受付"),
    ),
    _job(
        *("legal", "staff", "Legal Counsel", "Syndikusrechtsanwalt", "Juriste d'entreprise", "Abogada"),
        *("Giurista d'impresa", "Bedrijfsjurist", "Advogada", "法務担当"),
    ),
)
_ENGINEER = _job(
    *("engineering", "staff", "Mechanical Engineer", "Maschinenbauingenieur", "Ingénieur mécanique"),
    *("Ingeniera mecánica", "Ingegnere meccanico", "Werktuigbouwkundig ingenieur", "Engenheiro Mecânico"),
    "機械エンジニア",
)
_DEVELOPER = _job(
    *("software", "staff", "Backend Developer", "Softwareentwicklerin", "Développeuse", "Desarrollador"),
    *("Sviluppatore", "Softwareontwikkelaar", "Desenvolvedora", "ソフトウェアエンジニア"),
)
#: Jobs of an industry.
TRADES: Mapping[str, tuple[Job, ...]] = {
    "saas": (_DEVELOPER,),
    "technology": (_DEVELOPER, _ENGINEER),
    "manufacturing": (
        _ENGINEER,
        _job(
            *("production", "lead", "Shift Supervisor", "Schichtleiter Produktion", "Chef d'équipe production"),
            *("Jefe de Turno", "Capoturno", "Ploegleider", "Supervisor de Produção", "製造班長"),
        ),
    ),
    "energy": (_ENGINEER,),
    "healthcare": (
        _job(
            *("nursing", "staff", "Registered Nurse", "Pflegefachkraft", "Infirmière", "Enfermera", "Infermiera"),
            *("Verpleegkundige", "Enfermeira", "看護師"),
        ),
        _job(
            *("health", "staff", "Physiotherapist", "Physiotherapeutin", "Kinésithérapeute", "Fisioterapeuta"),
            *("Fisioterapista", "Fysiotherapeut", "Fisioterapeuta", "理学療法士"),
        ),
    ),
    "retail": (
        _job(
            *("retail", "manager", "Store Manager", "Filialleiterin", "Responsable de boutique", "Encargada de Tienda"),
            *("Store Manager", "Winkelmanager", "Gerente de Loja", "店長"),
        ),
    ),
    "logistics": (
        _job(
            *("transport", "staff", "Truck Driver", "Lkw-Fahrer", "Chauffeur routier", "Conductor de Camión"),
            *("Camionista", "Vrachtwagenchauffeur", "Motorista de Caminhão", "トラック運転手"),
        ),
    ),
    "education": (
        _job(
            *("education", "staff", "Teacher", "Lehrerin", "Enseignante", "Profesora", "Insegnante", "Docent"),
            *("Professora", "教師"),
        ),
    ),
    "restaurants": (
        _job(
            *("hospitality", "staff", "Head Chef", "Küchenchef", "Chef de cuisine", "Jefe de Cocina", "Cuoco", "Kok"),
            *("Cozinheira", "料理長"),
        ),
        _job(
            *("hospitality", "staff", "Waiter", "Kellnerin", "Serveuse", "Camarera", "Cameriere", "Serveerster"),
            *("Empregado de Mesa", "ホールスタッフ"),
        ),
    ),
    "construction": (
        _job(
            *("trades", "staff", "Electrician", "Elektriker", "Électricien", "Electricista", "Elettricista"),
            *("Elektricien", "Eletricista", "電気工事士"),
        ),
    ),
}


def language_of(city: str) -> str:
    """Return the language of a city as the world writes them ("Berlin, Germany")."""
    return LANGUAGES.get(city.rpartition(", ")[2], "en")


def staff(random: Random, industry: str, size: int) -> list[Job]:
    """Choose who works at a company beside its heads: more at a bigger one, some of its own trade."""
    own = TRADES.get(industry, ())
    count = 1 if size <= 12 else 2 if size <= 50 else 4
    chosen = [random.choice(own)] if own else []
    return chosen + random.sample(OFFICES, count - len(chosen) if count > len(chosen) else 0)
