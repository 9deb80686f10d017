"""Rules of the languages that content is judged in: words, syllables, reading ease, the passive, and which one it is.

One JSON file a language (en, de, fr, es, it, nl); :mod:`agents.languages.language` reads them. Pure.
"""
