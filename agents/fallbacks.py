"""Fallbacks of units: the next model, the next verifier, a template as the last resort.

A unit's policy names its fallbacks as short texts, the retry policy chooses among them (``integrations.retry``), and
the unit's body reads from its context which one to use. Invariant: the result names the fallback that made it, so that
a template is never taken for a model's work.
"""

from __future__ import annotations

from agents.config import Models
from integrations.retry import RetryPolicy

_MODEL = "model:"
TEMPLATE = "template"  #: a piece from the brief alone, without a model
MAIL_DOMAIN = "dns"  #: what the DNS says about an address' domain, without a verifier

#: What only makes a campaign better is not waited for as long as what it can't do without.
OPTIONAL_WAIT_S = 3600.0


def model_policy(models: Models, *, essential: bool = True, template: bool = False) -> RetryPolicy:
    """Return the policy of a model's unit: the configured models in their order, then perhaps a template."""
    policy = RetryPolicy(
        fallback=tuple(_MODEL + name for name in models.fallbacks if name != models.default),
        last_resort=TEMPLATE if template else None,
        last_resort_after_s=models.template_after.total_seconds(),
    )
    return policy if essential else RetryPolicy(fallback=policy.fallback, max_wait_s=OPTIONAL_WAIT_S)


def model_of(fallback: str | None) -> str | None:
    """Return the model that a fallback names, or None when it names none."""
    return fallback.removeprefix(_MODEL) if fallback is not None and fallback.startswith(_MODEL) else None
