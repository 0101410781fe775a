"""Telling somebody about verdicts."""
