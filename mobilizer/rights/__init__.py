"""Rights: what a person may ask of us at any time. To see all we know of them, and to be erased."""
