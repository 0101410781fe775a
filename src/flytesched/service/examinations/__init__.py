"""Examinations: what the doctor looks at, a file for each part of the body."""
