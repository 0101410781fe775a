# fish completion for flytesched; made by: python -m flytesched.cli.completions fish

# Offer what the program answers: a line for each word, with what it is behind a tab.
function __flytesched_ask
    flytesched __complete $argv[1] -- (commandline -opc) 2> /dev/null
end

complete -c flytesched -f
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l json -d 'Answer in JSON.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l no-color -d 'Never colour.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l utc -d 'Type and show times in UTC.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l debug -d 'Show where an error came from.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -l version -d 'Show the version.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a add -d 'Add a schedule to the manifest'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l disabled -d 'Let no slot fall due yet.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l replace -d 'Replace a schedule that has this name.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l description -d 'What it is for, in your words.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l cron -d 'Five cron fields on the wall clock of the time zone, such as "0 2 * * *".' -x -k -a '(__flytesched_ask cron)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l aws-cron -d 'AWS\'s six fields with one ?, or rate(5 minutes).' -x -k -a '(__flytesched_ask aws_cron)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l every -d 'A fixed rate of elapsed time, such as 90s, 15m, 1h30m.' -x -k -a '(__flytesched_ask every)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l daily -d 'Each day at this time; may be given several times.' -x -k -a '(__flytesched_ask daily)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l hourly -d 'Each hour at this minute; may be given several times.' -x -k -a '(__flytesched_ask hourly)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l at -d 'Once, such as 2026-12-24T18:00:00.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l seconds -d 'Allow six cron fields, seconds first.' -x -a 'true false'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l timezone -d 'IANA time zone, such as Europe/Berlin.' -x -k -a '(__flytesched_ask zones)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l start -d 'Slots from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l end -d 'Slots before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l anchor -d 'Phase of a fixed rate; 1970-01-01T00:00:00Z if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l offset -d 'Slots this much later than the timetable says.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l calendars -d 'A calendar whose days are off; may be given several times.' -x -k -a '(__flytesched_ask calendars)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-holiday -d 'What becomes of slots on a day off: they are skipped, or move to the next day, or the previous one, that is not off.' -x -a 'skip next previous'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l labels -d 'A label to select it by, KEY=VALUE; may be given several times.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l paused-until -d 'Its slots fall due again from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l pause-reason -d 'Why it is disabled or paused.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l jitter -d 'Start later by up to this, the same for the same slot everywhere.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l executor -d '"python" runs the command as module:function in a process of its own.' -x -a 'local python'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l cwd -d 'Directory to run in; the home directory if not given.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l env -d 'An environment variable, KEY=VALUE; may be given several times.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l env-file -d 'File of KEY=VALUE lines, read at each start.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from add' -l shell -d 'Shell for a command that is a string.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from add' -l kickoff-time-arg -d 'Append this argument and the kickoff time (RFC 3339) to the command.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l overlap -d 'What a slot does when a run of its schedule is still active.' -x -a 'skip queue allow replace'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l queue-limit -d 'Runs that may wait with overlap = "queue"; further slots are skipped.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l catchup -d 'Which missed slots the scheduler runs by itself.' -x -a 'all latest none'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l catchup-window -d 'How old a missed slot it runs by itself may be.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l catchup-limit -d 'How many missed slots it runs by itself at the most; the newest ones.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l timeout -d 'End an attempt that takes longer.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l kill-after -d 'Time between TERM and KILL.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l retry -d 'Further attempts after failed and timed_out: 3, or max_attempts=3,delay=10s,multiplier=2.0,max_delay=10m.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-interrupted -d 'Whether a run whose host died is started again (three times at most).' -x -a 'mark rerun'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l survive -d 'Whether commands outlive the scheduler; false is a cheaper start.' -x -a 'true false'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l success-exit-codes -d 'Exit codes that count as success, such as 0,2.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-success -d 'Command to run after a run succeeded.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-failure -d 'Command to run after a run failed, timed out or was interrupted.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-missed -d 'Command to run once per gap of missed slots.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-recovered -d 'Command to run at the first success after a failure.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-late -d 'Command to run when a slot is still waiting for its start after late_after.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l on-long -d 'Command to run when a run is still active after long_after.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l notify -d 'A channel of the manifest to tell about it; may be given several times.' -x -k -a '(__flytesched_ask channels)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l ping-url -d 'URL to ping at start and end, as healthchecks.io takes it.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l late-after -d 'How long after its slot a start is late.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l long-after -d 'How long after its first start a run takes long.' -x
complete -c flytesched -n '__fish_seen_subcommand_from add' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from add' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from add' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a set -d 'Change keys of a schedule in the manifest'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l unset -d 'Remove a key; may be given several times.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l description -d 'What it is for, in your words.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l cron -d 'Five cron fields on the wall clock of the time zone, such as "0 2 * * *".' -x -k -a '(__flytesched_ask cron)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l aws-cron -d 'AWS\'s six fields with one ?, or rate(5 minutes).' -x -k -a '(__flytesched_ask aws_cron)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l every -d 'A fixed rate of elapsed time, such as 90s, 15m, 1h30m.' -x -k -a '(__flytesched_ask every)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l daily -d 'Each day at this time; may be given several times.' -x -k -a '(__flytesched_ask daily)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l hourly -d 'Each hour at this minute; may be given several times.' -x -k -a '(__flytesched_ask hourly)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l at -d 'Once, such as 2026-12-24T18:00:00.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l seconds -d 'Allow six cron fields, seconds first.' -x -a 'true false'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l timezone -d 'IANA time zone, such as Europe/Berlin.' -x -k -a '(__flytesched_ask zones)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l start -d 'Slots from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l end -d 'Slots before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l anchor -d 'Phase of a fixed rate; 1970-01-01T00:00:00Z if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l offset -d 'Slots this much later than the timetable says.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l calendars -d 'A calendar whose days are off; may be given several times.' -x -k -a '(__flytesched_ask calendars)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-holiday -d 'What becomes of slots on a day off: they are skipped, or move to the next day, or the previous one, that is not off.' -x -a 'skip next previous'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l labels -d 'A label to select it by, KEY=VALUE; may be given several times.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l paused-until -d 'Its slots fall due again from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l pause-reason -d 'Why it is disabled or paused.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l jitter -d 'Start later by up to this, the same for the same slot everywhere.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l executor -d '"python" runs the command as module:function in a process of its own.' -x -a 'local python'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l cwd -d 'Directory to run in; the home directory if not given.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l env -d 'An environment variable, KEY=VALUE; may be given several times.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l env-file -d 'File of KEY=VALUE lines, read at each start.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from set' -l shell -d 'Shell for a command that is a string.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from set' -l kickoff-time-arg -d 'Append this argument and the kickoff time (RFC 3339) to the command.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l overlap -d 'What a slot does when a run of its schedule is still active.' -x -a 'skip queue allow replace'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l queue-limit -d 'Runs that may wait with overlap = "queue"; further slots are skipped.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l catchup -d 'Which missed slots the scheduler runs by itself.' -x -a 'all latest none'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l catchup-window -d 'How old a missed slot it runs by itself may be.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l catchup-limit -d 'How many missed slots it runs by itself at the most; the newest ones.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l timeout -d 'End an attempt that takes longer.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l kill-after -d 'Time between TERM and KILL.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l retry -d 'Further attempts after failed and timed_out: 3, or max_attempts=3,delay=10s,multiplier=2.0,max_delay=10m.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-interrupted -d 'Whether a run whose host died is started again (three times at most).' -x -a 'mark rerun'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l survive -d 'Whether commands outlive the scheduler; false is a cheaper start.' -x -a 'true false'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l success-exit-codes -d 'Exit codes that count as success, such as 0,2.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-success -d 'Command to run after a run succeeded.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-failure -d 'Command to run after a run failed, timed out or was interrupted.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-missed -d 'Command to run once per gap of missed slots.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-recovered -d 'Command to run at the first success after a failure.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-late -d 'Command to run when a slot is still waiting for its start after late_after.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l on-long -d 'Command to run when a run is still active after long_after.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l notify -d 'A channel of the manifest to tell about it; may be given several times.' -x -k -a '(__flytesched_ask channels)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l ping-url -d 'URL to ping at start and end, as healthchecks.io takes it.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l late-after -d 'How long after its slot a start is late.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l long-after -d 'How long after its first start a run takes long.' -x
complete -c flytesched -n '__fish_seen_subcommand_from set' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from set' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from set' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from set' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from set' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a edit -d 'Edit the manifest in $VISUAL or $EDITOR'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l discard -d 'Throw away what an earlier edit left, and begin anew.'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from edit' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a rename -d 'Give a schedule another name'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from rename' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a remove -d 'Remove schedules from the manifest'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l all -d 'Remove every schedule.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from remove' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a enable -d 'Let the slots of schedules fall due again'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from enable' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a disable -d 'Let no more slots of schedules fall due'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l reason -d 'Why, for those who ask later.' -x
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from disable' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a pause -d 'Let no slots of schedules fall due for a while'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l until -d 'Slots fall due again from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l for -d 'Pause for so long.' -x
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l reason -d 'Why, for those who ask later.' -x
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from pause' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a resume -d 'End pauses of schedules before their time'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from resume' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a revisions -d 'Show what changed in a schedule, and when'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l diff -d 'What revision N changed; or what differs between N and M, or N.. and today.' -x -k -a '(__flytesched_ask revisions)'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from revisions' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a revert -d 'Write an earlier definition back into the manifest'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l to -d 'The revision; the one before the present one if not given.' -x -k -a '(__flytesched_ask revisions)'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l dry-run -d 'Only show what would change, old and new.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from revert' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a list -d 'List schedules with the next slot and the last verdict'
complete -c flytesched -n '__fish_seen_subcommand_from list' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l sort -d 'By the next slot, the name, or the last verdict.' -x -a 'next name last'
complete -c flytesched -n '__fish_seen_subcommand_from list' -s q -l quiet -d 'Names only.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -s w -l watch -d 'Show it again and again, until Ctrl-C or q.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l interval -d 'Watch, with this time between two looks; 2 if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from list' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from list' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from list' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a show -d 'Show one schedule in full'
complete -c flytesched -n '__fish_seen_subcommand_from show' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from show' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from show' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from show' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from show' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from show' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from show' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from show' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a next -d 'Show the coming slots of schedules, the next one first'
complete -c flytesched -n '__fish_seen_subcommand_from next' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from next' -s n -l count -d 'Slots at most.' -x
complete -c flytesched -n '__fish_seen_subcommand_from next' -l from -d 'Slots from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from next' -l until -d 'Slots before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from next' -l calendar -d 'Draw how many slots each hour of the week has; or: --calendar month.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from next' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from next' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from next' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a calendars -d 'Show calendars'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l from -d 'Days from this one on; today if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l until -d 'Days before this one; a year if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from calendars' -k -a '(__flytesched_ask calendars)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a explain -d 'Say in words what an expression means'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l kind -d 'What kind of timetable it is.' -x -a 'cron aws_cron every daily hourly at'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l timezone -d 'IANA time zone, such as Europe/Berlin.' -x -k -a '(__flytesched_ask zones)'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l seconds -d 'Six cron fields have the seconds first.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l offset -d 'Slots this much later than the timetable says.' -x
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from explain' -k -a '(__flytesched_ask expressions)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a run -d 'Run the scheduler in the foreground'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l once -d 'Do what a start does, then wait for what is active.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l on-stop -d 'Leave running commands to be adopted, or end them.' -x -a 'leave kill'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l log-format -d 'How events are written to stderr.' -x -a 'plain json'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l rebind -d 'Take over a state directory of another manifest.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l force-state-dir -d 'Accept a state directory on a network.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from run' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from run' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a trigger -d 'Run a schedule now and show its output'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l at -d 'Run this slot, which has no run yet.' -x
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -s d -l detach -d 'Do not wait; a scheduler must be running.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l force -d 'Run beside an active run, whatever overlap says.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l raw -d 'Show the bytes as they are, control characters too.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from trigger' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a catchup -d 'Run the missed slots that are still open'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l since -d 'Slots from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l until -d 'Slots before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l limit -d 'Slots per schedule, the oldest first.' -x
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l policy -d 'Run all, the latest of each schedule, or decline them.' -x -a 'all latest none'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l dry-run -d 'Only show what would run.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l rebind -d 'Take over a state directory of another manifest.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from catchup' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a backfill -d 'Run past slots that were never decided'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l from -d 'Slots from this time on.' -x
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l until -d 'Slots before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l parallel -d 'Runs at once.' -x
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l dry-run -d 'Only show what would run.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from backfill' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a history -d 'Show the verdicts of slots and runs, newest first'
complete -c flytesched -n '__fish_seen_subcommand_from history' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l status -d 'Only these, such as failed,missed; repeatable.' -x -k -a '(__flytesched_ask statuses)'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l since -d 'From this time on, such as 2h.' -x
complete -c flytesched -n '__fish_seen_subcommand_from history' -l until -d 'Before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from history' -s n -l limit -d 'Lines at most.' -x
complete -c flytesched -n '__fish_seen_subcommand_from history' -l strip -l no-strip -d 'Draw the last runs of each schedule, one glyph a run.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -s w -l watch -d 'Show it again and again, until Ctrl-C or q.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l interval -d 'Watch, with this time between two looks; 2 if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from history' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from history' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from history' -k -a '(__flytesched_ask named)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a stats -d 'Count what became of schedules, and how long it took'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l since -d 'From this time on, such as 30d.' -x
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l until -d 'Before this time.' -x
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from stats' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a logs -d 'Show what a run wrote to stdout and stderr'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l attempt -d 'Only this attempt; else all.' -x
complete -c flytesched -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'Go on until the run has its verdict.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l raw -d 'Show the bytes as they are, control characters too.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from logs' -k -a '(__flytesched_ask named)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a ps -d 'Show what is active: the runs without a verdict'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -s q -l quiet -d 'Ids only.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -s w -l watch -d 'Show it again and again, until Ctrl-C or q.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l interval -d 'Watch, with this time between two looks; 2 if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from ps' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a cancel -d 'End active runs'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from cancel' -k -a '(__flytesched_ask active)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a retry -d 'Run again what has ended'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from retry' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from retry' -k -a '(__flytesched_ask recent)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a status -d 'Show everything at a glance'
complete -c flytesched -n '__fish_seen_subcommand_from status' -s w -l watch -d 'Show it again and again, until Ctrl-C or q.'
complete -c flytesched -n '__fish_seen_subcommand_from status' -l interval -d 'Watch, with this time between two looks; 2 if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from status' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from status' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from status' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from status' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from status' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from status' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from status' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a top -d 'Show live what runs, waits, has just ended, and is next'
complete -c flytesched -n '__fish_seen_subcommand_from top' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l interval -d 'Time between two looks.' -x
complete -c flytesched -n '__fish_seen_subcommand_from top' -l once -d 'Show one frame, and leave it there.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from top' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from top' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a health -d 'Tell whether slots are being decided'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l strict -d 'What fails, and missed slots, count too.'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from health' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from health' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from health' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a metrics -d 'Write metrics in the text format of Prometheus'
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from metrics' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a validate -d 'Check a manifest and say every fault with its line'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from validate' -F
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a config -d 'Show every setting and what says so'
complete -c flytesched -n '__fish_seen_subcommand_from config' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from config' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from config' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from config' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from config' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from config' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from config' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from config' -k -a '(__flytesched_ask settings)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a doctor -d 'Examine schedules, scheduler and machine, and say what to do'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from doctor' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a prune -d 'Remove verdicts and output that are too old to keep, now'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l keep-runs -d 'Keep verdicts this long, such as 90d.' -x
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l keep-logs -d 'Keep output this long, such as 7d.' -x
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l dry-run -d 'Only count what would be removed.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from prune' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a notify -d 'Look after channels, through which people are told'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -a list -d 'Show channels, and whether they work'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from list' -k -a '(__flytesched_ask channels)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -a test -d 'Send a test message to channels'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l schedule -d 'Its ping_url, and what it notifies.' -x -k -a '(__flytesched_ask names)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from test' -k -a '(__flytesched_ask channels)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and not __fish_seen_subcommand_from list test history' -a history -d 'Show what channels were told of, and whether it arrived'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l schedule -d 'Only of these, or a pattern; repeatable.' -x -k -a '(__flytesched_ask names)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l status -d 'Only these; repeatable, or with commas.' -x -a 'queued sending sent failed unknown dropped'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l since -d 'From this time on, such as 2h.' -x
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -s n -l limit -d 'Lines at most.' -x
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -s w -l watch -d 'Show it again and again, until Ctrl-C or q.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l interval -d 'Watch, with this time between two looks; 2 if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from notify; and __fish_seen_subcommand_from history' -k -a '(__flytesched_ask channels)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a import -d 'Take schedules over from another scheduler'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and not __fish_seen_subcommand_from crontab' -a crontab -d 'Write the jobs of a crontab into the manifest as schedules that mean the same'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l user -d 'Whose crontab it is.' -x
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l system -d 'Each line names its user; without FILE, /etc/crontab.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l prefix -d 'What every name begins with.' -x
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l disabled -d 'Let no slot fall due yet.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l replace -d 'Replace schedules that are there and differ.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l dry-run -d 'Only say what would be done.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from import; and __fish_seen_subcommand_from crontab' -F
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a export -d 'Say schedules in the words of another scheduler'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and not __fish_seen_subcommand_from crontab' -a crontab -d 'Write a crontab with the same meaning to stdout'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -s l -l label -d 'Only schedules with this label.' -x -k -a '(__flytesched_ask labels)'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l system -d 'In the format of /etc/crontab, with a user.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l user -d 'The user of --system; you if not given.' -x
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from export; and __fish_seen_subcommand_from crontab' -k -a '(__flytesched_ask names)'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a service -d 'Run the scheduler as a service of systemd'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -a print -d 'Print the unit that install would write'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l user -d 'A service of your own instead of the machine\'s.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l harden -d 'Sandbox the service, and with it every command.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l name -d 'The name of the unit.' -x
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from print' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -a install -d 'Write the unit, and let systemd read it'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l user -d 'A service of your own instead of the machine\'s.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l harden -d 'Sandbox the service, and with it every command.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l name -d 'The name of the unit.' -x
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l now -d 'Enable the service, and start it.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l force -d 'Replace or remove a unit that is not as flytesched made it.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l dry-run -d 'Only say what would be done.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from install' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and not __fish_seen_subcommand_from print install uninstall' -a uninstall -d 'Stop the service, disable it and remove its unit'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l user -d 'A service of your own instead of the machine\'s.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l name -d 'The name of the unit.' -x
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l force -d 'Replace or remove a unit that is not as flytesched made it.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -s y -l yes -d 'Do not ask.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l dry-run -d 'Only say what would be done.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from service; and __fish_seen_subcommand_from uninstall' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n 'not __fish_seen_subcommand_from add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db' -a db -d 'Look after the run log'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -s h -l help -d 'Show this message and exit.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and not __fish_seen_subcommand_from check' -a check -d 'Check that the run log is whole, and that what it says can be true'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l manifest -d 'The manifest to work on.' -r -F
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l state-dir -d 'Where run log and logs are.' -x -a '(__fish_complete_directories)'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l no-color -d 'Never colour; NO_COLOR does the same.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l utc -d 'Type and show times in UTC, not on the machine\'s clock.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l debug -d 'Show where an error came from.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l json -d 'Answer in JSON.'
complete -c flytesched -n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -s h -l help -d 'Show this message and exit.'
