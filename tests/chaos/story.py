"""A story: set the stage, do damage by chance, let it settle, and judge."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

from chaos.faults import ALL, each_window
from chaos.judge import Facts, judge, percentile, read_evidence
from chaos.stage import Stage, Stuck, wait_for
from chaos.watcher import Background, Pulse, Vitals, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chaos.judge import Report
    from chaos.workload import Job

#: Seconds before a fault, one of them each time: in a storm, and in a soak.
PAUSES = (0.0, 0.3, 1.0, 2.0)
LONG_PAUSES = (15.0, 30.0, 60.0, 150.0, 300.0)


class Story:
    """One run of the harness."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.seed = stage, seed
        #: Seconds that a rest is waited for; a planted bug may let it never come.
        self.patience = 15.0 if stage.plant else 900.0
        self.chance = Random(seed)
        self.watcher, self.pulse = Watcher(stage.database), Pulse()
        self.vitals = Vitals(stage)
        self._background = [
            Background(self.watcher.look, 1.0), Background(self.pulse.beat, 0.0),
            Background(self.vitals.look, 5.0),
        ]  # fmt: skip
        self.began = time.time()

    def begin(self) -> None:
        """Start the first scheduler: from here on every slot counts."""
        before = time.time()
        self.stage.start()
        for job in self.stage.jobs:
            self.stage.maybe(job.name, before, time.time())
            self.stage.due_from(job.name, time.time())

    def suffer(
        self, faults: Sequence[str], seconds: float, pauses: Sequence[float],
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        """Do damage for a while, each fault by its weight, with one of the pauses before it."""
        weights = [ALL[name][1] for name in faults]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.chance.choice(pauses))
            (name,) = self.chance.choices(faults, weights)
            say(name)
            ALL[name][0](self.stage, self.chance)
            self.stage.applied[name] = self.stage.applied.get(name, 0) + 1

    def settle(self) -> None:
        """Disable everything, let all that is active end, catch up what is left, and stop."""
        stage = self.stage
        if not stage.alive:
            stage.start()
        stage.trouble()
        self._check("while all is due")
        before = time.time()
        for job in stage.jobs:
            stage.due_until(job.name, before)
        stage.ask("disable", "*")
        wait_for("disabled", lambda: self._is_disabled())
        for job in stage.jobs:
            stage.maybe(job.name, before, time.time())
        self._rest()
        with suppress(subprocess.TimeoutExpired):
            stage.ask("catchup", "*", "--yes", codes=(0, 1), patience=self.patience)
        self._rest()
        left = stage.json("catchup", "*", "--dry-run")["schedules"]
        stage.notes += [f"still missed after catchup: {row}" for row in left]
        try:
            if (code := stage.kill(signal.SIGTERM)) != 0:
                stage.notes.append(f"the last scheduler left with {code}")
        except Stuck:
            stage.notes.append("the last scheduler did not leave")
            stage.kill()
        self._check("at the end")

    def _check(self, when: str) -> None:
        """Let the program examine its run log too, whole and slot by slot."""
        try:
            self.stage.ask("db", "check")
        except Stuck as found:
            self.stage.notes.append(f"db check {when}: {found}")

    def _rest(self) -> None:
        """Wait until nothing is active; what stays so for ever is for the judge to tell."""
        with suppress(Stuck):
            idle = "nothing active"
            wait_for(idle, lambda: not self.stage.json("ps")["runs"], patience=self.patience)

    def _is_disabled(self) -> bool:
        self.watcher.look()
        return bool(self.watcher.enabled) and not any(self.watcher.enabled.values())

    def judge(self) -> Report:
        """Hold everything against each other."""
        for each in self._background:
            each.stop()
        self.watcher.look(whole=True)
        stage = self.stage
        history = stage.json("history", "--limit", "10000000")["entries"]
        report = judge(
            Facts(
                jobs=stage.jobs, due=stage.due, unsure=stage.unsure,
                attempts=read_evidence(stage.evidence.read_text()), history=history,
                changed=self.watcher.changed, calm=stage.calm, deaths=stage.deaths,
                killed=frozenset(stage.killed), cancelled=frozenset(stage.cancelled),
                stalled=self.pulse.stalled, clock_set=bool(stage.applied.get("clock step")),
            )
        )  # fmt: skip
        for note in stage.notes:
            if not note.startswith("clock"):
                report.add("note", note)
        return report

    def figures(self, report: Report) -> dict[str, Any]:
        """Return what there is to tell, for people and for JSON."""
        stage = self.stage
        due = max(1, report.due)
        return {
            "seed": self.seed,
            "seconds": round(time.time() - self.began),
            "due": report.due,
            "attempts": sum(1 for line in stage.evidence.open() if line.startswith("B ")),
            "deaths": len(stage.deaths),
            "verdicts": dict(report.verdicts.most_common()),
            "violations": {kind: found[:20] for kind, found in report.violations.items()},
            "violation_count": report.count,
            "violations_per_1000": round(1000 * report.count / due, 3),
            "faults": dict(sorted(stage.applied.items())),
            "windows": dict(sorted(stage.met.items())),
            "lag_ms": {
                "calm p50": _ms(report.calm_lags, 0.5), "calm p99": _ms(report.calm_lags, 0.99),
                "all p50": _ms(report.all_lags, 0.5), "all p99": _ms(report.all_lags, 0.99),
                "calm starts": len(report.calm_lags), "all starts": len(report.all_lags),
            },
            "lives": self.vitals.figures(),
            "stalled_seconds": round(sum(late for _, late in self.pulse.stalls), 2),
        }  # fmt: skip


def _ms(lags: Sequence[float], part: float) -> float | None:
    found = percentile(lags, part)
    return None if found is None else round(1000 * found, 1)


def tell(
    home: Path, jobs: tuple[Job, ...], *, seed: int, seconds: float, faults: Sequence[str],
    windows: Sequence[str] = (), pauses: Sequence[float] = PAUSES, state: Path | None = None,
    plant: str | None = None, say: Callable[[str], None] = print,
) -> dict[str, Any]:  # fmt: skip
    """Play a story from the first start to the verdict of the judge, and return its figures."""
    stage = Stage.make(
        home, jobs, state=state, plant=("--plant", plant) if plant is not None else ()
    )
    story = Story(stage, seed)
    try:
        story.begin()
        each_window(stage, story.chance, windows)
        story.suffer(faults, seconds, pauses, say)
        story.settle()
        report = story.judge()
    finally:
        if stage.alive:
            stage.kill()
    figures = story.figures(report)
    (home / "report.json").write_text(json.dumps(figures, indent=2) + "\n")
    return figures
