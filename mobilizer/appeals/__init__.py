"""Appeals: what is said, once, in every language."""
