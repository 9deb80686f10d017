"""Guidelines and tones: each with a text that breaks it and one that keeps it."""

from __future__ import annotations

import pytest

from agents.brand.guideline import judged_by_rules
from agents.brand.tone import breaches
from agents.seo.text import Text

#: (guideline, broken, kept): ten of the labelled set were kept aside while the rules were written.
GUIDELINES = [
    ("No exclamation marks", "Start today! It is easy.", "Start today. It is easy."),
    ("Never mention prices", "The plan is $49 a month.", "The plan is for teams."),
    ('Always say "customers", never "clients"', "Our clients like it.", "Our customers like it."),
    ("Sentences under 8 words", "This is a sentence that has far too many words in it.", "This one is short."),
    ("British spelling", "We organize your favorite colors.", "We organise your favourite colours."),
    ("No superlatives", "It is the best tool.", "It is a good tool."),
    ("Avoid passive voice", "The plan was written by the team.", "The team wrote the plan."),
    ("Don't use jargon", "We leverage synergies.", "We work together."),
    ("No emojis", "Good \U0001f600 work.", "Good work."),
    ("Spell out numbers below ten", "It takes 3 steps.", "It takes three steps."),
    ("Never use all caps", "BUY this THING today.", "Buy this thing today."),
    ("No contractions", "We don't wait.", "We do not wait."),
    ("Never promise results", "We guarantee that it works.", "It works for many teams."),
    ("Don't pressure the reader", "Hurry, last chance.", "Take a look when you like."),
    ("Speak to the reader as 'you'", "Teams plan.", "You plan."),
    ('Never use "we"', "We plan.", "The team plans."),
    ("End with a question", "You plan.", "What do you plan?"),
    ("Avoid the words cheap, quick and dirty", "A quick win.", "A sure win."),
    ("No hype", "A revolutionary tool.", "A tool."),
    ("Use gender-neutral language", "Ask the chairman.", "Ask the chair."),
    # kept aside
    ("No bullet points", "Read:\n\n- one\n- two", "Read one and two."),
    ("No semicolons", "It works; it lasts.", "It works. It lasts."),
    ("No clichés", "At the end of the day it works.", "It works."),
    ("Use the Oxford comma", "Plans, lists and notes.", "Plans, lists, and notes."),
    ("Never talk about politics", "The election changes it.", "The plan changes it."),
    ("Paragraphs of at most two sentences", "One. Two. Three.", "One. Two."),
    ("Always mention our 30-day trial", "Start now.", "Start your 30-day trial."),
    ("No war metaphors", "Win the battle for leads.", "Win more leads."),
    ("Write in the active voice", "Leads are found by us.", "We find leads."),
    ("No rhetorical questions", "Who wouldn't want that?", "You want that."),
]
TONES = [
    ("professional", "Hey dude, this is awesome!!!", "The plan supports your team."),
    ("friendly", "Pursuant to the aforementioned terms, documents shall be filed herewith.", "You are welcome here."),
    ("playful", "The committee reviews the budget and the annual report in the spring of each year.", "Fun, isn't it?"),
    ("urgent", "There is no rush. Take your time.", "Act today, before it closes."),
    ("calm", "Hurry! Act now! Last chance!", "You can look at it in peace."),
    ("plain", "We leverage synergies in a holistic ecosystem.", "We work with you."),
    ("confident", "Maybe it might work, perhaps.", "It works."),
    ("modest", "We are the best, unbeatable market leader!", "We do our work."),
    ("empathetic", "You failed. It is your own fault.", "We know how hard it is for you."),
    ("casual", "The undersigned hereby commence the procedure.", "Let's get going."),
]


@pytest.mark.parametrize(("guideline", "broken", "kept"), GUIDELINES)
def test_guidelines(guideline: str, broken: str, kept: str) -> None:
    (bad,) = judged_by_rules(Text(title="", body=broken), [guideline])
    (good,) = judged_by_rules(Text(title="", body=kept), [guideline])
    assert bad.kept is False
    assert bad.sentence == "" or bad.sentence in broken
    assert good.kept is True


@pytest.mark.parametrize(("tone", "wrong", "right"), TONES)
def test_tones(tone: str, wrong: str, right: str) -> None:
    assert breaches(Text(title="", body=wrong), tone)
    assert not breaches(Text(title="", body=right), tone)


def test_german_forms_of_address_and_headlines() -> None:
    german = Text(title="", body="Planen Sie mit uns. Du sparst Zeit.", language="de")
    assert judged_by_rules(german, ["Address readers with Sie"])[0].sentence == "Du sparst Zeit."
    title = Text(title="Five Ways To Win More Customers", body="You win.")
    assert judged_by_rules(title, ["Use sentence case in headlines"])[0].kept is False
    assert judged_by_rules(title, ["Sound like a neighbour"])[0].by == "nobody"
