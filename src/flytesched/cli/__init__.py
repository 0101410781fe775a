"""The command line: one file per verb, one error boundary, one place that renders."""
