# bash completion for flytesched; made by: python -m flytesched.cli.completions bash
_flytesched() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= index
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${COMP_WORDS[index]} in
            --) return ;;
            --manifest|--state-dir) ((index++)) ;;
            -*) ;;
            *) case $verb in ''|import|export|service|db) verb=${verb:+$verb }${COMP_WORDS[index]} ;; esac ;;
        esac
    done
    COMPREPLY=()
    case $verb:$before in
        :--manifest|add:--manifest|set:--manifest|edit:--manifest|remove:--manifest|enable:--manifest|disable:--manifest|pause:--manifest|resume:--manifest|revisions:--manifest|revert:--manifest|list:--manifest|show:--manifest|next:--manifest|explain:--manifest|run:--manifest|trigger:--manifest|catchup:--manifest|backfill:--manifest|history:--manifest|stats:--manifest|logs:--manifest|ps:--manifest|cancel:--manifest|retry:--manifest|status:--manifest|health:--manifest|metrics:--manifest|validate:--manifest|config:--manifest|doctor:--manifest|prune:--manifest|import:--manifest|'import crontab':--manifest|export:--manifest|'export crontab':--manifest|service:--manifest|'service print':--manifest|'service install':--manifest|'service uninstall':--manifest|db:--manifest|'db check':--manifest)
            COMPREPLY=($(compgen -f -- "$word")); return ;;
        :--state-dir|add:--state-dir|set:--state-dir|edit:--state-dir|remove:--state-dir|enable:--state-dir|disable:--state-dir|pause:--state-dir|resume:--state-dir|revisions:--state-dir|revert:--state-dir|list:--state-dir|show:--state-dir|next:--state-dir|explain:--state-dir|run:--state-dir|trigger:--state-dir|catchup:--state-dir|backfill:--state-dir|history:--state-dir|stats:--state-dir|logs:--state-dir|ps:--state-dir|cancel:--state-dir|retry:--state-dir|status:--state-dir|health:--state-dir|metrics:--state-dir|validate:--state-dir|config:--state-dir|doctor:--state-dir|prune:--state-dir|import:--state-dir|'import crontab':--state-dir|export:--state-dir|'export crontab':--state-dir|service:--state-dir|'service print':--state-dir|'service install':--state-dir|'service uninstall':--state-dir|db:--state-dir|'db check':--state-dir)
            COMPREPLY=($(compgen -d -- "$word")); return ;;
        add:--description|set:--description)
            return ;;
        add:--cron|set:--cron)
            return ;;
        add:--aws-cron|set:--aws-cron)
            return ;;
        add:--every|set:--every)
            return ;;
        add:--daily|set:--daily)
            return ;;
        add:--hourly|set:--hourly)
            return ;;
        add:--at|set:--at|trigger:--at)
            return ;;
        add:--seconds|set:--seconds)
            COMPREPLY=($(compgen -W 'true false' -- "$word")); return ;;
        add:--timezone|set:--timezone|explain:--timezone)
            return ;;
        add:--start|set:--start)
            return ;;
        add:--end|set:--end)
            return ;;
        add:--anchor|set:--anchor)
            return ;;
        add:--offset|set:--offset|explain:--offset)
            return ;;
        add:--labels|set:--labels)
            return ;;
        add:--paused-until|set:--paused-until)
            return ;;
        add:--pause-reason|set:--pause-reason)
            return ;;
        add:--jitter|set:--jitter)
            return ;;
        add:--executor|set:--executor)
            COMPREPLY=($(compgen -W 'local python' -- "$word")); return ;;
        add:--cwd|set:--cwd)
            COMPREPLY=($(compgen -d -- "$word")); return ;;
        add:--env|set:--env)
            return ;;
        add:--env-file|set:--env-file)
            COMPREPLY=($(compgen -f -- "$word")); return ;;
        add:--shell|set:--shell)
            COMPREPLY=($(compgen -f -- "$word")); return ;;
        add:--kickoff-time-arg|set:--kickoff-time-arg)
            return ;;
        add:--overlap|set:--overlap)
            COMPREPLY=($(compgen -W 'skip queue allow replace' -- "$word")); return ;;
        add:--queue-limit|set:--queue-limit)
            return ;;
        add:--catchup|set:--catchup)
            COMPREPLY=($(compgen -W 'all latest none' -- "$word")); return ;;
        add:--catchup-window|set:--catchup-window)
            return ;;
        add:--catchup-limit|set:--catchup-limit)
            return ;;
        add:--timeout|set:--timeout)
            return ;;
        add:--kill-after|set:--kill-after)
            return ;;
        add:--retry|set:--retry)
            return ;;
        add:--on-interrupted|set:--on-interrupted)
            COMPREPLY=($(compgen -W 'mark rerun' -- "$word")); return ;;
        add:--survive|set:--survive)
            COMPREPLY=($(compgen -W 'true false' -- "$word")); return ;;
        add:--success-exit-codes|set:--success-exit-codes)
            return ;;
        add:--on-success|set:--on-success)
            return ;;
        add:--on-failure|set:--on-failure)
            return ;;
        add:--on-missed|set:--on-missed)
            return ;;
        add:--on-recovered|set:--on-recovered)
            return ;;
        set:--unset)
            return ;;
        enable:-l|enable:--label|disable:-l|disable:--label|pause:-l|pause:--label|resume:-l|resume:--label|list:-l|list:--label|next:-l|next:--label|catchup:-l|catchup:--label|history:-l|history:--label|stats:-l|stats:--label|'export crontab':-l|'export crontab':--label)
            return ;;
        disable:--reason|pause:--reason)
            return ;;
        pause:--until|next:--until|catchup:--until|backfill:--until|history:--until|stats:--until)
            return ;;
        pause:--for)
            return ;;
        revisions:--diff)
            return ;;
        revert:--to)
            return ;;
        list:--sort)
            COMPREPLY=($(compgen -W 'next name last' -- "$word")); return ;;
        list:--interval|history:--interval|ps:--interval|status:--interval)
            return ;;
        next:-n|next:--count)
            return ;;
        next:--from|backfill:--from)
            return ;;
        explain:--kind)
            return ;;
        run:--on-stop)
            COMPREPLY=($(compgen -W 'leave kill' -- "$word")); return ;;
        run:--log-format)
            COMPREPLY=($(compgen -W 'plain json' -- "$word")); return ;;
        catchup:--since|history:--since|stats:--since)
            return ;;
        catchup:--limit)
            return ;;
        catchup:--policy)
            COMPREPLY=($(compgen -W 'all latest none' -- "$word")); return ;;
        backfill:--parallel)
            return ;;
        history:--status)
            return ;;
        history:-n|history:--limit)
            return ;;
        logs:--attempt)
            return ;;
        prune:--keep-runs)
            return ;;
        prune:--keep-logs)
            return ;;
        'import crontab':--user|'export crontab':--user)
            return ;;
        'import crontab':--prefix)
            return ;;
        'service print':--name|'service install':--name|'service uninstall':--name)
            return ;;
    esac
    case $verb in
        '') COMPREPLY=($(compgen -W 'add set edit remove enable disable pause resume revisions revert list show next explain run trigger catchup backfill history stats logs ps cancel retry status health metrics validate config doctor prune import export service db --manifest --state-dir --json --no-color --utc --debug --version -h --help' -- "$word")) ;;
        add) COMPREPLY=($(compgen -W '--disabled --replace --dry-run --description --cron --aws-cron --every --daily --hourly --at --seconds --timezone --start --end --anchor --offset --labels --paused-until --pause-reason --jitter --executor --cwd --env --env-file --shell --kickoff-time-arg --overlap --queue-limit --catchup --catchup-window --catchup-limit --timeout --kill-after --retry --on-interrupted --survive --success-exit-codes --on-success --on-failure --on-missed --on-recovered --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")) ;;
        set) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--unset --dry-run --description --cron --aws-cron --every --daily --hourly --at --seconds --timezone --start --end --anchor --offset --labels --paused-until --pause-reason --jitter --executor --cwd --env --env-file --shell --kickoff-time-arg --overlap --queue-limit --catchup --catchup-window --catchup-limit --timeout --kill-after --retry --on-interrupted --survive --success-exit-codes --on-success --on-failure --on-missed --on-recovered --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        edit) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--discard --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        remove) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--all -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        enable) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        disable) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --reason --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        pause) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --until --for --reason --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        resume) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        revisions) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--diff --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        revert) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--to --dry-run -y --yes --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        list) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --sort -q --quiet -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        show) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        next) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label -n --count --from --until --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        explain) COMPREPLY=($(compgen -W '--kind --timezone --seconds --offset --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        run) COMPREPLY=($(compgen -W '--once --on-stop --log-format --rebind --force-state-dir --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")) ;;
        trigger) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--at -d --detach --force --raw --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        catchup) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --since --until --limit --policy --dry-run --rebind -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        backfill) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--from --until --parallel --dry-run -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        history) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --status --since --until -n --limit --strip --no-strip -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        stats) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --since --until --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        logs) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--attempt -f --follow --raw --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        ps) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-q --quiet -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        cancel) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched ps --quiet 2>/dev/null)" -- "$word")); fi ;;
        retry) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched ps --quiet 2>/dev/null)" -- "$word")); fi ;;
        status) COMPREPLY=($(compgen -W '-w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        health) COMPREPLY=($(compgen -W '--strict --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        metrics) COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug -h --help' -- "$word")) ;;
        validate) if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi ;;
        config) COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        doctor) COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        prune) COMPREPLY=($(compgen -W '--keep-runs --keep-logs --dry-run -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        import) COMPREPLY=($(compgen -W 'crontab --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        'import crontab') if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '--user --system --prefix --disabled --replace -y --yes --dry-run --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi ;;
        export) COMPREPLY=($(compgen -W 'crontab --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        'export crontab') if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '-l --label --system --user --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")); else COMPREPLY=($(compgen -W "$(flytesched list --quiet 2>/dev/null)" -- "$word")); fi ;;
        service) COMPREPLY=($(compgen -W 'print install uninstall --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        'service print') COMPREPLY=($(compgen -W '--user --harden --name --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        'service install') COMPREPLY=($(compgen -W '--user --harden --name --now --force -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")) ;;
        'service uninstall') COMPREPLY=($(compgen -W '--user --name --force -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help' -- "$word")) ;;
        db) COMPREPLY=($(compgen -W 'check --manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
        'db check') COMPREPLY=($(compgen -W '--manifest --state-dir --no-color --utc --debug --json -h --help' -- "$word")) ;;
    esac
}
complete -F _flytesched flytesched
