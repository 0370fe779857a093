// The life of tasks and connectors, as data. `WorkerTask` and `WorkerConnector` ask these tables what an
// event means and do it; nothing else decides a state. The states and their spelling are Kafka Connect's,
// since they go out over REST as they are (all but DESTROYED, which nobody sees).

export type TaskState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'FAILED' | 'RESTARTING' | 'DESTROYED'
export type TaskEvent = 'start' | 'pause' | 'resume' | 'fail' | 'restart' | 'stop' | 'destroy'

// Full Records: adding a state or an event won't compile until every cell says what happens. Null means:
// ignore the event.
export const TASK_TRANSITIONS: Readonly<
  Record<TaskState, Readonly<Record<TaskEvent, TaskState | null>>>
> = {
  UNASSIGNED: {
    start: 'RUNNING',
    pause: 'PAUSED',
    resume: null,
    fail: 'FAILED',
    restart: 'RESTARTING',
    stop: null,
    destroy: 'DESTROYED',
  },
  RUNNING: {
    start: null,
    pause: 'PAUSED',
    resume: null,
    fail: 'FAILED',
    restart: 'RESTARTING',
    stop: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  PAUSED: {
    start: null,
    pause: null,
    resume: 'RUNNING',
    fail: 'FAILED',
    restart: 'RESTARTING',
    stop: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  FAILED: {
    start: null,
    pause: null,
    resume: null,
    fail: null,
    restart: 'RESTARTING',
    stop: null,
    destroy: 'DESTROYED',
  },
  RESTARTING: {
    start: 'RUNNING',
    pause: 'PAUSED',
    resume: null,
    fail: 'FAILED',
    restart: null,
    stop: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  DESTROYED: {
    start: null,
    pause: null,
    resume: null,
    fail: null,
    restart: null,
    stop: null,
    destroy: null,
  },
}

/** The state after the event; the same one when the event means nothing in it. */
export const nextTaskState = (state: TaskState, event: TaskEvent): TaskState =>
  TASK_TRANSITIONS[state][event] ?? state

export type ConnectorState =
  | 'UNASSIGNED'
  | 'RUNNING'
  | 'PAUSED'
  | 'STOPPED'
  | 'FAILED'
  | 'RESTARTING'
  | 'DESTROYED'
export type ConnectorEvent =
  | 'start'
  | 'pause'
  | 'stop'
  | 'fail'
  | 'restart'
  | 'unassign'
  | 'destroy'

export const CONNECTOR_TRANSITIONS: Readonly<
  Record<ConnectorState, Readonly<Record<ConnectorEvent, ConnectorState | null>>>
> = {
  UNASSIGNED: {
    start: 'RUNNING',
    pause: 'PAUSED',
    stop: 'STOPPED',
    fail: 'FAILED',
    restart: 'RESTARTING',
    unassign: null,
    destroy: 'DESTROYED',
  },
  RUNNING: {
    start: null,
    pause: 'PAUSED',
    stop: 'STOPPED',
    fail: 'FAILED',
    restart: 'RESTARTING',
    unassign: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  PAUSED: {
    start: 'RUNNING',
    pause: null,
    stop: 'STOPPED',
    fail: 'FAILED',
    restart: 'RESTARTING',
    unassign: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  STOPPED: {
    start: 'RUNNING',
    pause: 'PAUSED',
    stop: null,
    fail: 'FAILED',
    restart: 'RESTARTING',
    unassign: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  // A failed connector stays FAILED through pause and resume; stop and restart lead out (as Kafka Connect 4.3.1 does).
  FAILED: {
    start: null,
    pause: null,
    stop: 'STOPPED',
    fail: null,
    restart: 'RESTARTING',
    unassign: null,
    destroy: 'DESTROYED',
  },
  RESTARTING: {
    start: 'RUNNING',
    pause: 'PAUSED',
    stop: 'STOPPED',
    fail: 'FAILED',
    restart: null,
    unassign: 'UNASSIGNED',
    destroy: 'DESTROYED',
  },
  DESTROYED: {
    start: null,
    pause: null,
    stop: null,
    fail: null,
    restart: null,
    unassign: null,
    destroy: null,
  },
}

/** The state after the event; the same one when the event means nothing in it. */
export const nextConnectorState = (state: ConnectorState, event: ConnectorEvent): ConnectorState =>
  CONNECTOR_TRANSITIONS[state][event] ?? state
