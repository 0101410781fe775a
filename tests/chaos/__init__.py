"""Chaos: real schedulers, real commands, every fault a machine has, and a judge.

``python -m chaos`` (in ``tests/``) sets a stage, lets schedules fire whose commands write down
themselves what they did, does to the scheduler what machines do, and then holds slots, evidence
and run log against each other. Everything that is drawn by chance follows from the seed.

==============  ==================================================================
workload.py     the schedules, and the command that leaves evidence
stage.py        one place with a manifest, a state directory and a scheduler
faults.py       what is done to it while it runs
windows.py      death of the scheduler at a named moment
plants.py       planted bugs, which the judge has to find
program.py      the program under test, with a window or a plant in it
watcher.py      verdicts as they are first seen, and how well the machine keeps time
judge.py        slots, evidence and run log: what does not agree
story.py        set the stage, do damage, settle, judge
__main__.py     the command
==============  ==================================================================
"""
