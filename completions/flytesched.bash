# bash completion for flytesched; made by: python -m flytesched.cli.completions bash

# Reply with those lines, a word and what it is behind a tab, that begin like the word typed.
_flytesched_reply() {
    local line offer
    while IFS= read -r line; do
        offer=${line%%$'\t'*}
        [[ $offer == "$typed"* ]] || continue
        offer=${offer#"$stem"}
        # Readline puts what stands in quotes behind the quote that was typed, and the other one.
        if [[ -z $quote && $offer == *[!A-Za-z0-9_@%+=:,./-]* ]]; then
            offer="'${offer//\'/\'\\\'\'}'"
        fi
        COMPREPLY+=("$offer")
    done
}

_flytesched_ask() {
    _flytesched_reply < <(flytesched __complete "$1" -- "${words[@]}" 2> /dev/null)
}

_flytesched_say() {
    _flytesched_reply < <(printf '%s\n' "$@")
}

# Reply with files (-f) or folders (-d); readline quotes their names.
_flytesched_path() {
    compopt -o filenames 2> /dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$typed")
    COMPREPLY=("${COMPREPLY[@]#"$stem"}")
}

# Whether an option of a verb takes a value.
_flytesched_valued() {
    case $1 in
        *:--manifest|*:--env-file|*:--shell) ;;
        *:--state-dir|*:--cwd) ;;
        *:--description|*:--at|*:--start|*:--end|*:--anchor|*:--offset|*:--paused-until|*:--pause-reason|*:--jitter|*:--env|*:--kickoff-time-arg|*:--queue-limit|*:--catchup-window|*:--catchup-limit|*:--timeout|*:--kill-after|*:--retry|*:--success-exit-codes|*:--on-success|*:--on-failure|*:--on-missed|*:--on-recovered|*:--on-late|*:--on-long|*:--ping-url|*:--late-after|*:--long-after|*:--unset|*:--reason|*:--until|*:--for|*:--interval|*:-n|*:--count|*:--from|*:--since|*:--limit|*:--parallel|*:--attempt|*:--keep-runs|*:--keep-logs|'import crontab':--user|*:--prefix|'export crontab':--user|*:--name) ;;
        *:--cron) ;;
        *:--aws-cron) ;;
        *:--every) ;;
        *:--daily) ;;
        *:--hourly) ;;
        add:--seconds|*:--survive|set:--seconds) ;;
        *:--timezone) ;;
        *:--calendars) ;;
        *:--on-holiday) ;;
        *:--labels|*:-l|*:--label) ;;
        *:--executor) ;;
        *:--overlap) ;;
        *:--catchup|*:--policy) ;;
        *:--on-interrupted) ;;
        *:--notify) ;;
        *:--diff|*:--to) ;;
        *:--sort) ;;
        *:--kind) ;;
        *:--on-stop) ;;
        *:--log-format) ;;
        history:--status) ;;
        *:--schedule) ;;
        'notify history':--status) ;;
        *) false ;;
    esac
}

_flytesched() {
    local word before verb= part typed stem= quote= index count=0 rest=${COMP_LINE:0:COMP_POINT}
    local -a words=()
    COMPREPLY=()
    # Readline cuts words at =, : and @ as well; here they are whole again.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        part=${COMP_WORDS[index]}
        if ((index == 0)) || [[ $rest == [[:blank:]]* ]]; then
            words+=("$part")
        else
            words[${#words[@]}-1]+=$part
        fi
        rest=${rest#"${rest%%[![:blank:]]*}"}
        rest=${rest#"$part"}
    done
    word=${words[${#words[@]}-1]}
    words=("${words[@]:0:${#words[@]}-1}")
    before=${words[${#words[@]}-1]}
    for ((index = 1; index < ${#words[@]}; index++)); do
        part=${words[index]}
        case $part in
            --) return ;;
            -*) if _flytesched_valued "$verb:$part"; then ((index++)); fi ;;
            *) case $verb in ''|'notify'|'import'|'export'|'service'|'db') verb=${verb:+$verb }$part ;; *) ((count++)) ;; esac ;;
        esac
    done
    if [[ $word == --*=* ]]; then
        before=${word%%=*} word=${word#*=}
    fi
    case $word in
        [\"\']*) quote=${word:0:1} typed=${word:1} ;;
        *) typed=${word//\\/} stem=${typed%"${typed##*[=:]}"} ;;
    esac
    case $verb:$before in
        *:--manifest|*:--env-file|*:--shell) _flytesched_path -f; return ;;
        *:--state-dir|*:--cwd) _flytesched_path -d; return ;;
        *:--description|*:--at|*:--start|*:--end|*:--anchor|*:--offset|*:--paused-until|*:--pause-reason|*:--jitter|*:--env|*:--kickoff-time-arg|*:--queue-limit|*:--catchup-window|*:--catchup-limit|*:--timeout|*:--kill-after|*:--retry|*:--success-exit-codes|*:--on-success|*:--on-failure|*:--on-missed|*:--on-recovered|*:--on-late|*:--on-long|*:--ping-url|*:--late-after|*:--long-after|*:--unset|*:--reason|*:--until|*:--for|*:--interval|*:-n|*:--count|*:--from|*:--since|*:--limit|*:--parallel|*:--attempt|*:--keep-runs|*:--keep-logs|'import crontab':--user|*:--prefix|'export crontab':--user|*:--name) return ;;
        *:--cron) _flytesched_ask cron; return ;;
        *:--aws-cron) _flytesched_ask aws_cron; return ;;
        *:--every) _flytesched_ask every; return ;;
        *:--daily) _flytesched_ask daily; return ;;
        *:--hourly) _flytesched_ask hourly; return ;;
        add:--seconds|*:--survive|set:--seconds) _flytesched_say true false; return ;;
        *:--timezone) _flytesched_ask zones; return ;;
        *:--calendars) _flytesched_ask calendars; return ;;
        *:--on-holiday) _flytesched_say skip next previous; return ;;
        *:--labels|*:-l|*:--label) _flytesched_ask labels; return ;;
        *:--executor) _flytesched_say local python; return ;;
        *:--overlap) _flytesched_say skip queue allow replace; return ;;
        *:--catchup|*:--policy) _flytesched_say all latest none; return ;;
        *:--on-interrupted) _flytesched_say mark rerun; return ;;
        *:--notify) _flytesched_ask channels; return ;;
        *:--diff|*:--to) _flytesched_ask revisions; return ;;
        *:--sort) _flytesched_say next name last; return ;;
        *:--kind) _flytesched_say cron aws_cron every daily hourly at; return ;;
        *:--on-stop) _flytesched_say leave kill; return ;;
        *:--log-format) _flytesched_say plain json; return ;;
        history:--status) _flytesched_ask statuses; return ;;
        *:--schedule) _flytesched_ask names; return ;;
        'notify history':--status) _flytesched_say queued sending sent failed unknown dropped; return ;;
    esac
    case $verb in
        '') _flytesched_say add set edit rename remove enable disable pause resume revisions revert list show next calendars explain run trigger catchup backfill history stats logs ps cancel retry status top health metrics validate config doctor prune notify import export service db --manifest --state-dir --json --no-color --utc --debug --version -h --help ;;
        add) _flytesched_say --disabled --replace --dry-run --description --cron --aws-cron --every --daily --hourly --at --seconds --timezone --start --end --anchor --offset --calendars --on-holiday --labels --paused-until --pause-reason --jitter --executor --cwd --env --env-file --shell --kickoff-time-arg --overlap --queue-limit --catchup --catchup-window --catchup-limit --timeout --kill-after --retry --on-interrupted --survive --success-exit-codes --on-success --on-failure --on-missed --on-recovered --on-late --on-long --notify --ping-url --late-after --long-after --manifest --state-dir --no-color --utc --debug -h --help ;;
        set) if [[ $word == -* ]]; then _flytesched_say --unset --dry-run --description --cron --aws-cron --every --daily --hourly --at --seconds --timezone --start --end --anchor --offset --calendars --on-holiday --labels --paused-until --pause-reason --jitter --executor --cwd --env --env-file --shell --kickoff-time-arg --overlap --queue-limit --catchup --catchup-window --catchup-limit --timeout --kill-after --retry --on-interrupted --survive --success-exit-codes --on-success --on-failure --on-missed --on-recovered --on-late --on-long --notify --ping-url --late-after --long-after --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask names; fi ;;
        edit) if [[ $word == -* ]]; then _flytesched_say --discard --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask names; fi ;;
        rename) if [[ $word == -* ]]; then _flytesched_say --dry-run -y --yes --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask names; fi ;;
        remove) if [[ $word == -* ]]; then _flytesched_say --all -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        enable) if [[ $word == -* ]]; then _flytesched_say -l --label --dry-run --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        disable) if [[ $word == -* ]]; then _flytesched_say -l --label --reason --dry-run --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        pause) if [[ $word == -* ]]; then _flytesched_say -l --label --until --for --reason --dry-run --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        resume) if [[ $word == -* ]]; then _flytesched_say -l --label --dry-run --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        revisions) if [[ $word == -* ]]; then _flytesched_say --diff --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_ask names; fi ;;
        revert) if [[ $word == -* ]]; then _flytesched_say --to --dry-run -y --yes --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask names; fi ;;
        list) if [[ $word == -* ]]; then _flytesched_say -l --label --sort -q --quiet -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        show) if [[ $word == -* ]]; then _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_ask names; fi ;;
        next) if [[ $word == -* ]]; then _flytesched_say -l --label -n --count --from --until --calendar --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        calendars) if [[ $word == -* ]]; then _flytesched_say --from --until --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask calendars; fi ;;
        explain) if [[ $word == -* ]]; then _flytesched_say --kind --timezone --seconds --offset --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask expressions; fi ;;
        run) _flytesched_say --once --on-stop --log-format --rebind --force-state-dir --manifest --state-dir --no-color --utc --debug -h --help ;;
        trigger) if [[ $word == -* ]]; then _flytesched_say --at -d --detach --force --raw --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask names; fi ;;
        catchup) if [[ $word == -* ]]; then _flytesched_say -l --label --since --until --limit --policy --dry-run --rebind -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        backfill) if [[ $word == -* ]]; then _flytesched_say --from --until --parallel --dry-run -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_ask names; fi ;;
        history) if [[ $word == -* ]]; then _flytesched_say -l --label --status --since --until -n --limit --strip --no-strip -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask named; fi ;;
        stats) if [[ $word == -* ]]; then _flytesched_say -l --label --since --until --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        logs) if [[ $word == -* ]]; then _flytesched_say --attempt -f --follow --raw --manifest --state-dir --no-color --utc --debug -h --help; else ((count)) || _flytesched_ask named; fi ;;
        ps) if [[ $word == -* ]]; then _flytesched_say -q --quiet -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        cancel) if [[ $word == -* ]]; then _flytesched_say -y --yes --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask active; fi ;;
        retry) if [[ $word == -* ]]; then _flytesched_say --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask recent; fi ;;
        status) _flytesched_say -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        top) if [[ $word == -* ]]; then _flytesched_say -l --label --interval --once --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask names; fi ;;
        health) _flytesched_say --strict --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        metrics) _flytesched_say --manifest --state-dir --no-color --utc --debug -h --help ;;
        validate) if [[ $word == -* ]]; then _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_path -f; fi ;;
        config) if [[ $word == -* ]]; then _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_ask settings; fi ;;
        doctor) _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        prune) _flytesched_say --keep-runs --keep-logs --dry-run -y --yes --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        notify) _flytesched_say list test history --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'notify list') if [[ $word == -* ]]; then _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask channels; fi ;;
        'notify test') if [[ $word == -* ]]; then _flytesched_say --schedule --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask channels; fi ;;
        'notify history') if [[ $word == -* ]]; then _flytesched_say --schedule --status --since -n --limit -w --watch --interval --manifest --state-dir --no-color --utc --debug --json -h --help; else _flytesched_ask channels; fi ;;
        import) _flytesched_say crontab --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'import crontab') if [[ $word == -* ]]; then _flytesched_say --user --system --prefix --disabled --replace -y --yes --dry-run --manifest --state-dir --no-color --utc --debug --json -h --help; else ((count)) || _flytesched_path -f; fi ;;
        export) _flytesched_say crontab --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'export crontab') if [[ $word == -* ]]; then _flytesched_say -l --label --system --user --manifest --state-dir --no-color --utc --debug -h --help; else _flytesched_ask names; fi ;;
        service) _flytesched_say print install uninstall --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'service print') _flytesched_say --user --harden --name --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'service install') _flytesched_say --user --harden --name --now --force -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help ;;
        'service uninstall') _flytesched_say --user --name --force -y --yes --dry-run --manifest --state-dir --no-color --utc --debug -h --help ;;
        db) _flytesched_say check --manifest --state-dir --no-color --utc --debug --json -h --help ;;
        'db check') _flytesched_say --manifest --state-dir --no-color --utc --debug --json -h --help ;;
    esac
}

complete -o nosort -F _flytesched flytesched 2> /dev/null || complete -F _flytesched flytesched
