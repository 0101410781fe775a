"""The Python API: schedules of callables inside a program of one's own."""
