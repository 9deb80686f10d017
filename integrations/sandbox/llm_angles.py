"""Ad texts of the sandbox's model by angle, in English and German.

An angle is what a text builds on: a question, proof, the price, a number, the audience, urgency, or nothing in
particular ("plain"). Proof and prices are named, never invented: that there are customers, reviews, a list of prices.
Invariant: each headline and each description of an angle has what the angle names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ENGLISH, GERMAN = "en", "de"
ANGLES = ("plain", "number", "question", "audience", "proof", "price", "urgency")


@dataclass(frozen=True, slots=True)
class Stock:
    """Templates of one angle, with {subject}, {Subject}, {audience}, {Audience}, {few} and {more}."""

    headlines: Sequence[str]
    descriptions: Sequence[str]
    action: str


STOCKS: Mapping[str, Mapping[str, Stock]] = {
    ENGLISH: {
        "plain": Stock(
            (
                "{Subject} for {audience}",
                "{Subject} made for {audience}",
                "{Subject} for {audience} companies",
                "{Subject}",
            ),
            (
                "{Subject} helps {audience} teams work with less effort. Learn more on our website.",
                "Learn more about {subject} for {audience}.",
            ),
            "Learn more",
        ),
        "number": Stock(
            (
                "{more} ideas {audience} teams use",
                "{Subject} in {few} steps",
                "{Audience}: {few} checks before you buy",
                "{Audience} in {few} steps",
            ),
            (
                "See how {audience} teams plan {subject} in {few} steps. Book a short demo and compare for yourself.",
                "{few} steps, one page, no jargon: the {audience} checklist for {subject}. Get it and start.",
                "{Audience}: start with {few} steps. Book a demo.",
            ),
            "Book a demo",
        ),
        "question": Stock(
            (
                "How do {audience} teams plan?",
                "What slows {audience} teams down?",
                "{Subject}: where to begin?",
                "{Audience}: what comes next?",
            ),
            (
                "What would {audience} teams do with {subject}? See it and compare for yourself.",
                "Which step is next for {audience}? Get the guide.",
            ),
            "See the answer",
        ),
        "audience": Stock(
            (
                "Made for {audience} teams",
                "{Audience} teams, this is yours",
                "{Audience} and {subject}",
                "{Audience} first",
            ),
            (
                "{Subject} that speaks the language of {audience} teams. See how it works for you.",
                "For {audience}, by people who know {audience}. See how it works.",
            ),
            "See how it works",
        ),
        "proof": Stock(
            (
                "Ask our {audience} customers",
                "{Subject}: read the reviews",
                "Customers in {audience} tell",
                "Read {audience} reviews",
            ),
            (
                "Talk to customers from {audience} who use {subject}, and compare for yourself.",
                "Read reviews from {audience} customers, then compare.",
            ),
            "Read the reviews",
        ),
        "price": Stock(
            (
                "{Subject}: see the price",
                "{Audience} prices at a glance",
                "Know the cost for {audience}",
                "See {audience} prices",
            ),
            (
                "All prices of {subject} for {audience} on one page. Compare before you decide.",
                "One price list for {audience}. Compare the cost.",
            ),
            "See the prices",
        ),
        "urgency": Stock(
            (
                "Start with {subject} today",
                "{Audience}: begin this week",
                "{Audience} teams start now",
                "{Audience}: start today",
            ),
            (
                "Begin with {subject} this week and give {audience} teams a head start. Start now.",
                "{Audience}: start today. Book a first talk now.",
            ),
            "Start now",
        ),
    },
    GERMAN: {
        "plain": Stock(
            (
                "{Subject} für {audience}",
                "{Subject}, gemacht für {audience}",
                "{Subject} für Firmen: {audience}",
                "{Subject}",
            ),
            (
                "{Subject} nimmt Teams aus {audience} Arbeit ab. Mehr dazu auf unserer Website.",
                "Mehr über {subject} für {audience}.",
            ),
            "Mehr erfahren",
        ),
        "number": Stock(
            (
                "{more} Ideen für {audience}",
                "{Subject} in {few} Schritten",
                "{Audience}: {few} Prüfpunkte",
                "{Audience} in {few} Schritten",
            ),
            (
                "So planen Teams aus {audience} {subject} in {few} Schritten. Termin buchen und selbst vergleichen.",
                "{Audience}: mit {few} Schritten starten. Termin buchen.",
            ),
            "Termin buchen",
        ),
        "question": Stock(
            (
                "Wie planen Teams in {audience}?",
                "Was bremst {audience}?",
                "{Subject}: wo beginnen?",
                "{Audience}: was kommt danach?",
            ),
            (
                "Was würden Teams aus {audience} mit {subject} tun? Ansehen und selbst vergleichen.",
                "Welcher Schritt ist der nächste für {audience}? Leitfaden holen.",
            ),
            "Antwort ansehen",
        ),
        "audience": Stock(
            (
                "Gemacht für {audience}",
                "{Audience}: das ist für Sie",
                "{Audience} und {subject}",
                "{Audience} zuerst",
            ),
            (
                "{Subject} in der Sprache von {audience}. Ansehen, wie es bei Ihnen läuft.",
                "Für {audience}, von Leuten, die {audience} kennen. Jetzt ansehen.",
            ),
            "Ansehen",
        ),
        "proof": Stock(
            (
                "Fragen Sie Kunden: {audience}",
                "{Subject}: Bewertungen lesen",
                "Kunden aus {audience} erzählen",
                "Kunden: {audience}",
            ),
            (
                "Sprechen Sie mit Kunden aus {audience}, die {subject} nutzen, und vergleichen Sie selbst.",
                "Bewertungen von Kunden aus {audience} lesen und vergleichen.",
            ),
            "Bewertungen lesen",
        ),
        "price": Stock(
            (
                "{Subject}: der Preis",
                "{Audience}: Preise im Blick",
                "Was {subject} kostet",
                "Preise für {audience}",
            ),
            (
                "Alle Preise von {subject} für {audience} auf einer Seite. Vergleichen Sie vorher.",
                "Eine Liste der Preise für {audience}. Jetzt vergleichen.",
            ),
            "Preise ansehen",
        ),
        "urgency": Stock(
            (
                "Heute mit {subject} starten",
                "{Audience}: diese Woche los",
                "{Audience}: jetzt starten",
                "Heute starten: {audience}",
            ),
            (
                "Beginnen Sie diese Woche mit {subject} und verschaffen Sie {audience} Vorsprung. Jetzt starten.",
                "{Audience}: heute starten. Jetzt Termin buchen.",
            ),
            "Jetzt starten",
        ),
    },
}
#: first words of a description, by tone; a tone that isn't here has none
TONES: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "calm": "No rush.",
        "urgent": "Do it today.",
        "playful": "Coffee in hand?",
        "friendly": "Good to see you.",
    },
    GERMAN: {
        "calm": "In Ruhe.",
        "urgent": "Am besten heute.",
        "playful": "Kaffee zur Hand?",
        "friendly": "Schön, Sie zu sehen.",
    },
}
