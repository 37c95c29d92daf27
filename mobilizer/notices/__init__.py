"""Notices: what organizers are told by mail when a blast is held, ends, or needs them."""
