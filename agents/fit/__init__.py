"""Whom a campaign asked for: titles, company sizes, places, industries and keywords, judged fact by fact.

Pure functions over plain values. They know the words of eight languages (``words/``); the rule that weighs their
verdicts is :mod:`agents.scoring`.
"""
