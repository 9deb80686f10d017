"""Language models behind one OpenAI-compatible address.

Invariant: importing this package loads neither langchain nor openai; the first call does. Errors
leave it as :mod:`integrations.errors` classes only.
"""
