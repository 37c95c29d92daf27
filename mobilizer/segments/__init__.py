"""Segments: audiences said as sentences. Typed rules, saved, counted, and what they make of a blast's lists."""
