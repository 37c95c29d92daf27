"""Notices: what organizers are told by mail when a blast stops itself, ends, or needs them."""
