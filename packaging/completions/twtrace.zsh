#compdef twtrace
# SPDX-License-Identifier: Apache-2.0
# Completion of twtrace for zsh, which asks twtrace itself. Save it as _twtrace in a directory of $fpath.

_twtrace() {
  local -a lines names
  lines=("${(@f)$(_call_program names ${(q)words[1]/#\~\//$HOME/} completion -- ${(qq)words[2,CURRENT]})}")
  case $lines[1] in
    names)
      names=("${(@)lines[2,-1]//:/\\:}")
      names=("${(@)names/$'\t'/:}")
      _describe twtrace names
      ;;
    files)
      compset -P '--*='
      _files
      ;;
    command)
      local -i dashes=${words[(i)--]}
      shift $dashes words
      ((CURRENT -= dashes))
      _normal
      ;;
  esac
}

if [[ $funcstack[1] = _twtrace ]]; then
  _twtrace "$@"
else
  compdef _twtrace twtrace
fi
