/**
 * Whether this process may still open descriptors and start a process and a thread. Asked before each fork, because the pty library
 * aborts the whole agent, and with it every session, when it gets the process but not the thread that waits for it. Owns where Linux
 * keeps its limits; knows nothing of ptys. Where a limit cannot be read, it does not count.
 */
import { closeSync, constants, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** Descriptors that one more session needs, with some to spare. */
const neededDescriptors = 4;

/** A child and the thread that waits for it; the rest is for whoever forks between the question and the fork. */
const neededTasks = 8;

const cgroups = "/sys/fs/cgroup";

/** Whether one more session fits under the limits on descriptors, processes and threads. */
export function roomForSession(): boolean {
  return roomForDescriptors() && (process.platform !== "linux" || (roomForUser() && roomInCgroups()));
}

function roomForDescriptors(): boolean {
  const spare: number[] = [];
  try {
    while (spare.length < neededDescriptors) spare.push(openSync("/dev/null", constants.O_RDONLY));
    return true;
  } catch {
    return false;
  } finally {
    for (const descriptor of spare) closeSync(descriptor);
  }
}

/** The limit on a user's processes and threads; root has none. Counting them is slow, so all of the system's are compared first. */
function roomForUser(): boolean {
  const uid = process.getuid?.() ?? 0;
  const soft = /^Max processes\s+(\d+)/m.exec(read("/proc/self/limits"))?.[1];
  const limit = Math.min(uid === 0 || soft === undefined ? Number.POSITIVE_INFINITY : Number(soft), kernelLimit());
  const total = Number(/\d+\/(\d+)/.exec(read("/proc/loadavg"))?.[1] ?? 0);
  if (total + neededTasks <= limit) return true;
  return uid !== 0 && soft !== undefined && tasksOf(uid) + neededTasks <= Number(soft) && total + neededTasks <= kernelLimit();
}

function kernelLimit(): number {
  return Number(read("/proc/sys/kernel/threads-max")) || Number.POSITIVE_INFINITY;
}

function tasksOf(uid: number): number {
  let tasks = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (statSync(`/proc/${name}`).uid === uid) tasks += Number(/^Threads:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1] ?? 1);
    } catch {
      // It ended meanwhile.
    }
  }
  return tasks;
}

/** The control group's own limit and those of the groups around it, of either generation. */
function roomInCgroups(): boolean {
  for (const line of read("/proc/self/cgroup").split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers !== "" && !controllers.split(",").includes("pids")) continue;
    const root = controllers === "" ? cgroups : join(cgroups, "pids");
    for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) {
      const most = Number(read(join(folder, "pids.max")).trim() || Number.NaN);
      if (Number.isInteger(most) && Number(read(join(folder, "pids.current"))) + neededTasks > most) return false;
    }
  }
  return true;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
