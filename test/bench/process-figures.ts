import { readFileSync } from 'node:fs'

export interface ProcessFigures {
  /** User and system time since the process began. */
  readonly cpuSeconds: number
  readonly residentMb: number
  /** The most that was ever resident. */
  readonly peakMb: number
}

/** Clock ticks a second of /proc; 100 on every Linux that Node runs on. */
const TICKS = 100

/** What the kernel says of a process; undefined when it is gone or there is no /proc. */
export function processFigures(pid: number): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
      residentMb: megabytes('VmRSS', status),
      peakMb: megabytes('VmHWM', status),
    }
  } catch {
    return undefined // Not Linux, or the process is gone.
  }
}

const megabytes = (name: string, status: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024
