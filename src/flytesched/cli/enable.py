"""flytesched enable: let slots fall due again."""

from flytesched.cli.call import Call
from flytesched.cli.options import Labels, SomeNames
from flytesched.cli.switching import require_some, told
from flytesched.cli.verb import verb
from flytesched.service import editing


@verb()
def command(call: Call, names: SomeNames = None, *, labels: Labels = None) -> None:
    """Let the slots of schedules fall due again.

    They fall due from now on; nothing is made up.
    """
    require_some(names, labels)
    told(call, editing.enable(call.site, names or (), labels or ()), "enabled")
