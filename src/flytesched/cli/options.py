"""Options and arguments that several verbs share."""

from typing import Annotated

import typer

#: One schedule.
Name = Annotated[str, typer.Argument(metavar="NAME", help="A schedule.", show_default=False)]
#: Any number of schedules.
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Schedules, or patterns such as 'backup-*'."),
]
#: Schedules that have to be named.
SomeNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Schedules, or patterns such as 'backup-*'."),
]
#: Runs.
Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN", help="Ids of runs, or beginnings of them that are unique."),
]
#: Selection by label.
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", metavar="KEY=VALUE", help="Only schedules with this label."),
]
#: Consent.
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
#: Output as it is.
Raw = Annotated[
    bool, typer.Option("--raw", help="Show the bytes as they are, control characters too.")
]
#: A try that changes nothing.
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would change, old and new.")
]
#: Why slots shall not fall due.
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why, for those who ask later.")
]
