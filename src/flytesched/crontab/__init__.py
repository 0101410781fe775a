"""Crontabs as text: what cron(8) reads, carried over into schedules and back.

Pure: text and values in, text and values out. The rules are those of Vixie's cron and its heirs,
Debian's cron and cronie, as crontab(5) and their sources have them; where they differ it is said.
`reading` takes a crontab apart, `tables` makes a schedule's table of a job, `names` gives it a
name, `times` says a timetable in five fields, `writing` puts a crontab together, and `percent`
knows what ``%`` means.
"""
