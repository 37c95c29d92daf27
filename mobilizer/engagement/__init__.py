"""Engagement: what came back. Opens, clicks, watches, shares, joins, and what is counted of them."""
