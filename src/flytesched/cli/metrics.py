"""flytesched metrics: counters and gauges for Prometheus."""

from flytesched.cli import render
from flytesched.cli.call import Call
from flytesched.cli.verb import verb
from flytesched.service.metrics import metrics


@verb()
def command(call: Call) -> None:
    """Write metrics in the text format of Prometheus."""
    call.write(render.safe(metrics(call.site), lines=True))
