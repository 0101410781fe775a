"""The version, for whoever needs no more of the package: the one place that says it."""

__version__ = "0.1.0.dev0"
