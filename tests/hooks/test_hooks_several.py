"""Several hooks as one."""

from __future__ import annotations

from flytesched.core.protocols import Told
from flytesched.core.runs import Gap
from flytesched.core.schedule import Schedule
from flytesched.core.telling.channels import read_channel
from flytesched.core.telling.events import Event
from flytesched.hooks.several import Several
from flytesched.testing import RecordingHook

MAIL = {"kind": "mail", "to": "root"}
GAP = Gap(schedule="job", after=0, until=60, count=1, reason="no scheduler", timing="{}")
JOB = Schedule("job", every="1m", command="true", notify=["ops", "chat"])


def test_what_one_of_them_wants_is_wanted_noted_and_told_to_all() -> None:
    one, other, nobody = (
        RecordingHook({"ops": read_channel("ops", MAIL)}),
        RecordingHook({"chat": read_channel("chat", {**MAIL, "events": ["missed"]})}),
        RecordingHook(),
    )
    hooks = Several(one, other, nobody)
    told = Told(event=Event.MISSED, schedule=JOB, gap=GAP)
    assert hooks.wants(JOB, Event.MISSED)
    assert hooks.wants(JOB, Event.LATE), "ops wants it"
    assert not hooks.wants(JOB, Event.SUCCESS)
    assert [notice.channel for notice in hooks.notices(told, 5.0)] == ["ops", "chat"]
    hooks.tell(told)
    assert one.told == other.told == nobody.told == [told]


def test_none_of_none_wants_anything() -> None:
    assert not any(Several().wants(JOB, event) for event in Event)
