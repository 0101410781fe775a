"""What every test starts from."""

import signal

from hypothesis import HealthCheck, settings

# A shell that starts the tests in the background ignores SIGINT, and so would every child: what
# tests of Ctrl-C ask for would never happen.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes to make says more of the machine's other guests than of the example.
settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")
