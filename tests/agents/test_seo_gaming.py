"""Texts that try to get a score that they don't deserve, and languages that were not asked for."""

# ruff: noqa: E501 - sentences of texts, one a line

from __future__ import annotations

import random

import pytest

from agents.seo.assess import assess
from agents.seo.text import Text

SAID = {
    "en": "We help your team plan the month with one clear list. Every customer sees what happens next, because the plan "
    "is open to all of them. You can start this week and keep the tools that you have.",
    "de": "Wir helfen Ihrem Team, den Monat mit einer klaren Liste zu planen. Jeder Kunde sieht, was als Nächstes kommt, "
    "weil der Plan für alle offen ist. Sie können diese Woche beginnen und Ihre Werkzeuge behalten.",
    "fr": "Nous aidons votre équipe à planifier le mois avec une liste claire. Chaque client voit ce qui vient ensuite, "
    "parce que le plan est ouvert à tous. Vous pouvez commencer cette semaine et garder vos outils.",
    "es": "Ayudamos a su equipo a planificar el mes con una lista clara. Cada cliente ve lo que viene después, porque el "
    "plan está abierto para todos. Usted puede empezar esta semana y conservar sus herramientas.",
    "it": "Aiutiamo il vostro team a pianificare il mese con una lista chiara. Ogni cliente vede che cosa viene dopo, "
    "perché il piano è aperto a tutti. Potete cominciare questa settimana e tenere i vostri strumenti.",
    "nl": "Wij helpen uw team om de maand te plannen met een duidelijke lijst. Elke klant ziet wat er daarna komt, omdat "
    "het plan voor iedereen open is. U kunt deze week beginnen en uw eigen middelen houden.",
}
SENTENCES = (
    "Revenue analytics dances with the quiet moon. Revenue analytics is a window of soup. The forecast sings to "
    "revenue analytics. A pipeline of clouds loves the team. We analytics the revenue of a dream. "
)
LOREM = "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore. "
OFF_TOPIC = (
    "The old fox sleeps under the bridge. In the morning it hunts for mice near the river. Children like to watch it from "
    "the window. When it snows, the fox leaves small prints on the path. Nobody knows where its den is."
)


def page(body: str, language: str = "en") -> float:
    text = Text(
        title="Revenue analytics: five steps that work for teams",
        body=body,
        meta_description="How revenue analytics helps SaaS teams save time. Clear steps, honest numbers, and the mistakes "
        "that you can avoid from today on.",
        call_to_action="Book a demo",
        keywords=("revenue analytics",),
        topic="How SaaS teams forecast revenue without a data department",
        language=language,
    )
    return assess(text, "blog_post").score


def shuffled(text: str) -> str:
    found = text.split()
    random.Random(3).shuffle(found)
    return " ".join(found)


@pytest.mark.parametrize(
    "body",
    [
        SENTENCES * 20,
        SENTENCES * 3,
        LOREM * 10,
        OFF_TOPIC,
        "growth " * 400,
        shuffled((SAID["en"] + " " + OFF_TOPIC) * 2),
        "revenue analytics platform team growth pipeline forecast data customer " * 30,
    ],
)
def test_nonsense_and_repetition_score_below_0_4(body: str) -> None:
    assert page(body) < 0.4


@pytest.mark.parametrize("asked", SAID)
@pytest.mark.parametrize("written", SAID)
def test_another_language_is_noticed_every_time(asked: str, written: str) -> None:
    text = Text(title="X", body=SAID[written], language=asked)
    found = {one.check for one in assess(text, "email").problems}
    assert ("language" in found) is (asked != written)


def test_a_text_half_in_another_language_is_noticed() -> None:
    text = Text(title="X", body=f"{SAID['de']}\n\n{SAID['en']}", language="de")
    assert "language" in {one.check for one in assess(text, "email").problems}
