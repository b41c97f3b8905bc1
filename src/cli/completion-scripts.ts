/** Holds what `art completion` prints: for each shell the few lines that let it ask art what may come next. */

/** `#{` stands for the shells' own brace, which would end the text here. */
const script = (text: string) => text.replaceAll('#{', '${');

const BASH = script(String.raw`# art in bash. In ~/.bashrc: source <(art completion bash)
_art() {
  local rest=#{COMP_LINE:0:COMP_POINT} part line cut='' i count=0
  local -a words=()
  # Bash cuts words at : = and @ too. What no blank parts is one word here, up to the cursor.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
      rest=#{rest#"#{rest%%[![:space:]]*}"}
      words[count++]=''
    fi
    part=#{COMP_WORDS[i]:0:#{#rest}}
    words[count-1]+=$part
    rest=#{rest:#{#part}}
  done
  local current=#{words[count-1]} breaks=#{COMP_WORDBREAKS//[!:=@]/}
  # What stands before the last cut is on the line already. Nothing is cut inside quotes.
  if [[ -n $breaks && $current != [\"\']* ]]; then
    cut=#{current%"#{current##*["$breaks"]}"}
  fi
  COMPREPLY=()
  compopt -o nosort 2>/dev/null
  while IFS= read -r line; do
    case $line in
      $'\tfiles') compopt -o default 2>/dev/null ;;
      $'\tfolders') compopt -o dirnames 2>/dev/null ;;
      *)
        [[ $line == *[:=/] ]] && compopt -o nospace 2>/dev/null
        COMPREPLY+=("#{line#"$cut"}")
        ;;
    esac
  done < <(command art --complete-words bash "#{words[@]:1}" 2>/dev/null)
}
complete -F _art art
`);

const ZSH = script(String.raw`#compdef art
# art in zsh. In ~/.zshrc, after compinit: source <(art completion zsh)
_art() {
  local line word found=1
  local -a open shut openSaid shutSaid
  for line in #{(f)"$(command art --complete-words zsh "#{(@Q)words[2,CURRENT-1]}" "#{(Q)PREFIX}" 2>/dev/null)"}; do
    case $line in
      $'\tfiles') compset -P '--*='; _files && found=0 ;;
      $'\tfolders') compset -P '--*='; _files -/ && found=0 ;;
      *)
        word=#{line%%$'\t'*}
        # A word that goes on is not closed with a blank.
        if [[ $word == *[:=/] ]]; then
          open+=("$word")
          openSaid+=("#{line/$'\t'/  }")
        else
          shut+=("$word")
          shutSaid+=("#{line/$'\t'/  }")
        fi
        ;;
    esac
  done
  (( $#shut )) && compadd -V art -l -d shutSaid -a shut && found=0
  (( $#open )) && compadd -V art -l -S '' -d openSaid -a open && found=0
  return found
}
if [[ $funcstack[1] == _art ]]; then _art "$@"; else compdef _art art; fi
`);

const FISH = script(String.raw`# art in fish. In ~/.config/fish/config.fish: art completion fish | source
function __art_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (command art --complete-words fish $words[2..-1] 2>/dev/null)
        switch $line
            case \tfiles
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct))
            case \tfolders
                __fish_complete_directories (string replace -r -- '^--[^=]*=' '' (commandline -ct)) ''
            case '*'
                echo -- $line
        end
    end
end
complete -c art -f -k -a '(__art_complete)'
`);

export const COMPLETION_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
]);
