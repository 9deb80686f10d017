"""Registry of the places that leads can be delivered to.

Invariant: looking a target up loads no client.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.delivery.target import DeliveryTarget, TargetSpec
from integrations.settings import Settings


def _webhook(settings: Settings) -> DeliveryTarget:
    from integrations.delivery.webhook import Webhook

    return Webhook(settings)


def _hubspot(settings: Settings) -> DeliveryTarget:
    from integrations.delivery.hubspot import HubSpot

    return HubSpot(settings)


def _salesforce(settings: Settings) -> DeliveryTarget:
    from integrations.delivery.salesforce import Salesforce

    return Salesforce(settings)


#: what is known of a lead, and sent to a webhook by these names
FIELDS = (
    "lead_id", "email", "email_status", "name", "first_name", "last_name", "job_title", "company", "domain",
    "industry", "company_size", "location", "phone", "profile_url", "score", "score_reasons", "sources",
    "legal_basis", "collected_at", "notice_due_at",
)  # fmt: skip
TARGETS: Mapping[str, TargetSpec] = {
    spec.name: spec
    for spec in (
        TargetSpec(
            name="webhook",
            title="Webhook",
            batch=100,
            needs_email=False,
            fields={field: field for field in FIELDS},
            build=_webhook,
        ),
        TargetSpec(
            name="hubspot",
            title="HubSpot",
            batch=100,
            needs_email=True,
            fields={
                "email": "email",
                "first_name": "firstname",
                "last_name": "lastname",
                "job_title": "jobtitle",
                "company": "company",
                "domain": "website",
                "industry": "industry",
                "phone": "phone",
            },
            build=_hubspot,
        ),
        TargetSpec(
            name="salesforce",
            title="Salesforce",
            batch=200,
            needs_email=True,
            fields={
                "email": "Email",
                "first_name": "FirstName",
                "last_name": "LastName",
                "job_title": "Title",
                "company": "Company",
                "domain": "Website",
                "phone": "Phone",
            },
            build=_salesforce,
        ),
    )
}
