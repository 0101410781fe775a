"""flytesched resume: end pauses."""

from flytesched.cli.call import Call
from flytesched.cli.options import DryRun, Labels, SomeNames
from flytesched.cli.switching import require_some, told
from flytesched.cli.verb import verb
from flytesched.service import editing


@verb()
def command(
    call: Call, names: SomeNames = None, *, labels: Labels = None, dry_run: DryRun = False
) -> int | None:
    """End pauses of schedules before their time.

    Slots fall due from now on, and those of the pause are not made up. What is disabled stays
    disabled.
    """
    require_some(names, labels)
    done = editing.resume(call.site, names or (), labels or (), dry_run=dry_run)
    return told(
        call, done, labels, dry_run=dry_run, aside="disabled, not paused", already="not paused"
    )
