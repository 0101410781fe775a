"""flytesched disable: let no more slots fall due."""

from flytesched.cli.call import Call
from flytesched.cli.options import DryRun, Labels, Reason, SomeNames
from flytesched.cli.switching import require_reason, require_some, told
from flytesched.cli.verb import verb
from flytesched.service import editing


@verb()
def command(
    call: Call,
    names: SomeNames = None,
    *,
    labels: Labels = None,
    reason: Reason = None,
    dry_run: DryRun = False,
) -> None:
    """Let no more slots of schedules fall due; active runs finish."""
    require_some(names, labels)
    require_reason(reason)
    done = editing.disable(call.site, names or (), labels or (), reason=reason, dry_run=dry_run)
    told(call, done, labels, dry_run=dry_run)
