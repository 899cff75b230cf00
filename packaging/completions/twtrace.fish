# SPDX-License-Identifier: Apache-2.0
# Completion of twtrace for fish, which asks twtrace itself: twtrace completion fish | source

function __twtrace_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l typed $words[-1]
    set -l program (string replace -r -- '^~/' "$HOME/" $words[1])
    set -l lines ($program completion -- $words[2..-1] 2>/dev/null)
    switch "$lines[1]"
        case names
            printf '%s\n' $lines[2..-1]
        case files
            set -l option (string match -r -- '^--[^=]*=' $typed)
            printf "$option%s\n" (__fish_complete_path (string replace -- "$option" '' $typed))
        case command
            __fish_complete_subcommand --commandline $words[(math (contains -i -- -- $words) + 1)..-1]
    end
end

complete -c twtrace -f -a '(__twtrace_complete)'
