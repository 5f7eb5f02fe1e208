# SPDX-License-Identifier: GPL-2.0-or-later
# Completion for bash.  All that it offers comes from the program itself: its
# help names options, drivers and properties.

# The properties in a list that is printed as "  name=<type> ...".
_qemu_properties()
{
    "$@" 2>/dev/null | sed -n 's/^  \([A-Za-z0-9_.-]*\)=<.*/\1=/p'
}

# The kinds of what an option takes.
_qemu_kinds()
{
    case $2 in
    -device) "$1" -device help | sed -n 's/^name "\([^"]*\)".*/\1/p' ;;
    -object) "$1" -object help | sed -n 's/^  *\([^ ]*\).*/\1/p' ;;
    -chardev) "$1" -chardev help | sed -n 's/^  *\([a-z]*\) .*/\1/p' ;;
    -machine | -M) "$1" -machine help | sed 1d | cut -d' ' -f1 ;;
    -cpu) "$1" -cpu help | sed -n 's/^x86 \([^ ]*\).*/\1/p' ;;
    -accel) "$1" -accel help | sed 1d ;;
    -trace | -d) "$1" "$2" help | sed 's/ .*//' ;;
    -help | -h) "$1" -help | sed -n 's/.*(-help \([a-z]*\)).*/\1/p' ;;
    esac 2>/dev/null
}

# What may follow a kind and a comma.
_qemu_members()
{
    case $2 in
    -device | -object) echo id=; _qemu_properties "$1" "$2" "$3,help" ;;
    -machine | -M) _qemu_properties "$1" -machine "$3,help" ;;
    -chardev)
        "$1" -chardev "$3,help" 2>/dev/null | sed -n 's/^  \([a-z-]*\)$/\1=/p'
        ;;
    esac
}

_qemu_system_x86_64()
{
    local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
    local option= head list at=$((COMP_CWORD - 1))

    # "=" divides words for bash: join the argument again.
    while ((at > 0)) && [[ ${COMP_WORDS[at]} != -* ]]; do
        if [[ $word == =* || ${COMP_WORDS[at]} == *= ||
              ${COMP_WORDS[at]} == = ]]; then
            word=${COMP_WORDS[at]}$word
        fi
        at=$((at - 1))
    done
    ((at > 0)) && option=${COMP_WORDS[at]/#--/-}
    COMPREPLY=()
    if [[ $word == -* ]]; then
        # Each option, from the list and from what the list leaves out.
        list=$("$program" -help 2>/dev/null |
            sed -n 's/^  \(-[^ ]*\) .*/\1/p')
        list+=" -no-hpet -no-user-config"
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "${word/#--/-}" |
            LC_ALL=C sort -u)
        return
    fi
    if [[ $word == *,* ]]; then
        head=${word%,*}
        list=$(_qemu_members "$program" "$option" "${word%%,*}")
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "${word##*,}" |
            LC_ALL=C sort -u)
        # Only where readline asks, which replaces the whole word.
        if [[ ${COMP_TYPE:-} ]]; then
            compopt -o nospace 2>/dev/null
            [[ ${COMP_WORDS[COMP_CWORD]} == "$word" ]] &&
                COMPREPLY=("${COMPREPLY[@]/#/$head,}")
        fi
        return
    fi
    list=$(_qemu_kinds "$program" "$option")
    if [[ $list ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word" |
            LC_ALL=C sort -u)
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        [[ ${COMP_TYPE:-} ]] && compopt -o filenames 2>/dev/null
    fi
}

complete -F _qemu_system_x86_64 qemu-system-x86_64
