"""What every test starts from."""

import signal

# A shell that starts the tests in the background ignores SIGINT, and so would every child: what
# tests of Ctrl-C ask for would never happen.
signal.signal(signal.SIGINT, signal.default_int_handler)
