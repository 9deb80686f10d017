"""Ad management: write creatives, cut them to each platform's limits, validate, deploy, split the budget."""

from agents.ad_management.agent import AdManagement

__all__ = ["AdManagement"]
