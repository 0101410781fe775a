"""Use cases: what the command line and the Python API ask for, once each."""
