import type { Request, Response } from 'express'
import type { Clock } from '../api/clock.ts'
import type { Awaitable } from '../api/task-context.ts'
import type { Herder } from '../runtime/herder.ts'
import type { LogLevels } from '../runtime/logging.ts'
import type { ConfigMask } from './config-mask.ts'

/** What the resources need. */
export interface RestParts {
  readonly herder: Herder
  readonly mask: ConfigMask
  readonly clock: Clock
  readonly logLevels: LogLevels
  readonly metricsText: () => Promise<string>
  /** Base of `Location`, e.g. http://127.0.0.1:8083. */
  readonly advertisedUrl: () => string
  readonly topicTracking: { readonly isEnabled: boolean; readonly mayReset: boolean }
}

/** A request whose path and body were read. */
export interface Call {
  readonly request: Request
  readonly response: Response
  /** Decoded path parameters in order. */
  readonly params: readonly string[]
  /** The parsed JSON body; undefined without one. */
  readonly body: unknown
  readonly query: URLSearchParams
}

/** Answers a call; what is returned is sent as JSON, undefined as no body. */
export type Handler = (call: Call) => Awaitable<Answer>

export interface Answer {
  readonly status: number
  readonly json?: unknown
  readonly location?: string
}

/** A path and what its methods do. `*` in the path is a parameter. */
export interface Resource {
  readonly path: string
  readonly methods: Readonly<Partial<Record<Method, Handler>>>
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export const ok = (json: unknown): Answer => ({ status: 200, json })
export const nothing = (status: 202 | 204): Answer => ({ status })

/** `Boolean.valueOf`: only "true", in any case, is true. */
export const isTrue = (text: string | null): boolean => text?.toLowerCase() === 'true'
