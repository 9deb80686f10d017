"""Submit a campaign from Python and follow it to its end.

Start `campaigns up` first: on the same machine this program finds it by itself. Elsewhere, set DATABASE_URL and
REDIS_URL to the services that the workers use.
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
        print(event.at.strftime("%H:%M:%S"), event.agent, event.kind, dict(event.data))

    state = handle.state
    print(f"{handle.campaign_id} is {handle.status}")
    print(f"{len(state.qualified_leads)} of {len(state.leads)} leads qualify")
    for piece in state.generated_content:
        print(f"{piece.content_type}: {piece.title} ({piece.word_count} words)")
    print(f"overall score: {state.campaign_performance.overall_score}")
    campaigns.close()


if __name__ == "__main__":
    main()
