"""Language models behind one OpenAI-compatible address.

Invariant: importing this package loads neither langchain nor openai, which the first call does. The only errors it
raises are those of :mod:`integrations.errors`.
"""
