"""A scheduler for one machine: every slot ends in exactly one visible verdict."""

__version__ = "0.1.0.dev0"
