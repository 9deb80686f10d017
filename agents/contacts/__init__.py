"""Contacts in a text (addresses, numbers, accounts, links), and which of them the campaign's brief did not give.

A model led astray by a page or a document does its harm by naming somebody else's contact, in whatever disguise. The
same rule holds for content and ads: :func:`~agents.contacts.known.foreign_contacts`, with what the brief gave as
:class:`~agents.contacts.known.KnownContacts`.
"""

from agents.contacts.known import KnownContacts, check_texts, foreign_contacts

__all__ = ["KnownContacts", "check_texts", "foreign_contacts"]
