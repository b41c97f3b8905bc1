/** `art completion`: prints the script with which a shell completes command lines of art. */
import { ArtError, suggest } from '#base';
import { defineCommand } from '../command.ts';
import { COMPLETION_SCRIPTS } from '../completion-scripts.ts';

export const completionCommand = defineCommand({
  usage: ['completion SHELL'],
  summary: 'Print the completion script of bash, zsh or fish',
  words: [1, 1],
  options: {},
  examples: [
    ['art completion bash >> ~/.bashrc', 'complete commands, options, names and versions in bash'],
    ['art completion zsh >> ~/.zshrc', 'in zsh, after compinit'],
    ['art completion fish > ~/.config/fish/completions/art.fish', 'in fish'],
  ],
  async run({ words: [shell], out }) {
    if (out.json) throw new ArtError('USAGE', '`art completion` writes a script, so it has no --json');
    const script = COMPLETION_SCRIPTS.get(shell);
    if (script === undefined) {
      const known = [...COMPLETION_SCRIPTS.keys()];
      const meant = suggest(shell, known);
      const hint =
        meant === undefined ? `There is one for ${known.join(', ')}.` : `Did you mean \`${meant}\`?`;
      throw new ArtError('USAGE', `no completion for the shell ${JSON.stringify(shell)}`, { hint });
    }
    await out.line(script.trimEnd());
  },
});
