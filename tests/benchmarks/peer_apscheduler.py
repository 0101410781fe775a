"""APScheduler as one uses it for commands: ``peer_apscheduler.py COMMANDS.json FIELD=VALUE...``."""

import json
import subprocess
import sys
from pathlib import Path

from apscheduler.schedulers.blocking import BlockingScheduler

scheduler = BlockingScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
when = dict(word.split("=") for word in sys.argv[2:])
for command in json.loads(Path(sys.argv[1]).read_text()):
    keywords = {"shell": True, "check": True, "stdin": subprocess.DEVNULL}
    scheduler.add_job(subprocess.run, "cron", args=[command], kwargs=keywords, **when)
scheduler.start()
