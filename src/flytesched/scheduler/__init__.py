"""Carrying plans out: the loop, and the supervision of what it started. Knows only core."""
