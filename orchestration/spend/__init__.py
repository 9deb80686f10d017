"""Spend ledgers, which reserve money before a call and settle it after."""
