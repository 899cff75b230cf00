# SPDX-License-Identifier: Apache-2.0
# Completion of twtrace for bash, which asks twtrace itself: eval "$(twtrace completion bash)"

_twtrace() {
  local words=() lines=() i program=$1
  if [[ $program == \~/* ]]; then program=$HOME/${program#\~/}; fi
  for ((i = 1; i <= COMP_CWORD; i++)); do
    # Readline takes the = of --output=json for a word. twtrace also understands --output json.
    if [[ ${COMP_WORDS[i]} != = ]]; then
      words+=("${COMP_WORDS[i]}")
    elif ((i == COMP_CWORD)); then
      words+=("")
    fi
  done
  mapfile -t lines < <("$program" completion -- "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  case ${lines[0]-} in
    names) COMPREPLY=("${lines[@]:1}") && COMPREPLY=("${COMPREPLY[@]%%$'\t'*}") ;;
    files) compopt -o default ;;
    command)
      for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then break; fi
      done
      # With the package bash-completion, the command is completed as if it stood alone.
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); else compopt -o default; fi
      ;;
  esac
}

complete -F _twtrace twtrace
