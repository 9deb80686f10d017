"""Agent that hands a campaign's qualified leads on to where people work with them."""
