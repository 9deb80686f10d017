"""Submit a campaign from Python and follow it to its end.

Needs DATABASE_URL and REDIS_URL in the environment; `campaigns up` prints both when it is ready.
"""

from __future__ import annotations

from orchestration import CampaignConfig, Campaigns


def main() -> None:
    """Submit, follow, and print what came out."""
    campaigns = Campaigns.from_env()
    handle = campaigns.submit(
        CampaignConfig(
            name="Launch",
            target_audience={"industry": "saas"},
            ad_platforms=["facebook", "linkedin"],
            budget=1000,
        ),
        # The same key again gives the same campaign: safe to repeat after a lost connection.
        idempotency_key="launch-1",
    )
    for event in handle.watch():
        print(event)
    state = handle.state
    print(handle.status, len(state.qualified_leads), "qualified leads", state.campaign_performance)


if __name__ == "__main__":
    main()
