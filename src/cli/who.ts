/** Finds out who is working and where their settings are: environment, configuration, Git, the system. */
import { spawnSync } from 'node:child_process';
import { homedir, hostname, userInfo } from 'node:os';
import { join } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The user's own configuration file. */
export function globalConfigPath(env: Environment): string {
  if (process.platform === 'win32') return join(env['APPDATA'] ?? homedir(), 'art', 'config.toml');
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'art', 'config.toml');
}

/** The first there is: `ART_AUTHOR`, the setting `user`, Git's user, user@host. */
export function findAuthor(env: Environment, folder: string, configured: () => string | undefined): string {
  return env['ART_AUTHOR'] || configured() || gitUser(env, folder) || systemUser();
}

export function hostName(): string {
  return hostname() || 'localhost';
}

function systemUser(): string {
  return `${userName()}@${hostName()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // The user has no entry in the system's list, as in many containers.
    return 'user';
  }
}

function gitUser(env: Environment, folder: string): string | undefined {
  const git = spawnSync('git', ['config', '--null', '--get-regexp', '^user\\.(name|email)$'], {
    cwd: folder,
    env: { ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5000,
  });
  if (git.status !== 0) return undefined;
  // Later files win over earlier ones, and come later.
  const values = new Map(
    git.stdout.split('\0').map((row) => [row.slice(0, row.indexOf('\n')), row.slice(row.indexOf('\n') + 1)]),
  );
  const name = values.get('user.name');
  const email = values.get('user.email');
  if (name && email) return `${name} <${email}>`;
  return name || email;
}
