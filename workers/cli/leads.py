"""``campaigns leads``: the leads of a campaign, and under ``check`` what a file of leads holds.

Invariant: ``check`` is the only word that is a command; anything else is a campaign's id, as everywhere.
"""

from __future__ import annotations

import click

from workers.cli.lead_check import check
from workers.cli.lead_list import leads_of_campaign


class _LeadsOrCheck(click.Group):
    """A group whose arguments are those of one command, unless they begin with the name of another."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant, and its arguments."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "", leads_of_campaign, args

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return how the arguments are written."""
        del ctx
        return ["ID [OPTIONS]...", "| check FILE"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the options with a campaign's id, then the other command."""
        leads_of_campaign.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    "leads",
    cls=_LeadsOrCheck,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def leads_group() -> None:
    """Show a campaign's leads, exclude some by hand, or check a file of leads."""


leads_group.add_command(check)
