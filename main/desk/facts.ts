/**
 * What a page shows of the user and of this computer before any agent was asked: login shell, name, home. Owns what stands for a fact that
 * the system does not tell.
 */
import { homedir, hostname, userInfo } from "node:os";
import { basename } from "node:path";

type Environment = Readonly<Record<string, string | undefined>>;

export interface UserFacts {
  /** Program name of the login shell. */
  shell: string;
  user: string;
  home: string;
}

export function userFacts(env: Environment): UserFacts {
  const found = systemUser();
  const shell = env.SHELL || found.shell || "sh";
  return { shell: basename(shell), user: env.USER || found.user, home: env.HOME || homedir() };
}

/** A user id without an entry (containers) has no name and no shell; that is no reason not to start. */
function systemUser(): { user: string; shell: string } {
  try {
    const info = userInfo();
    return { user: info.username, shell: info.shell ?? "" };
  } catch {
    return { user: "", shell: "" };
  }
}

/** This computer's name without its domain: how this machine is called until its agent has said hello. */
export function machineName(): string {
  return hostname().split(".", 1)[0] || "this machine";
}
