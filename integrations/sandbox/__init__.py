"""Sandbox: a local server that speaks the providers' real protocols over generated companies and people.

The same clients and agents run against it and against the real providers; only base URLs and credentials differ.
Invariant: for one seed the same request gets the same answer, in any order of requests, and everything made here says
that it is from the sandbox.
"""
