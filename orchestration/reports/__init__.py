"""What people and programs read: campaigns, spend, the fleet."""
