/** The life of one write, from the first command to the acknowledgement, and on to the storing of its own result. */
import type { Result, Write } from "./database.js"
import type { Fresh } from "./fresh.js"
import type { LateStep } from "./late.js"
import type { Setup } from "./setup.js"
import type { Stamp } from "./tags.js"
import type { Stamps } from "./world.js"

export interface Writer {
  readonly write: string
  /** Under which it announces itself, and also the version that it writes. */
  readonly token: Fresh
  readonly at:
    /** OBTAINs what it will compare later. */
    | "obtaining"
    /** Strict: BEGINs every tag. */
    | "beginning"
    /** Only where it stores its own result: UPDATE, which shows the result and locks the row. */
    | "updating"
    | "committing"
    /** ENDs or INVALIDATEs every tag. Acknowledged when the last one has answered. */
    | "ending"
    /** Strict, its connection to the database lost: BEGINs every tag again, so that the intents last. */
    | "announcing again"
    /** And INVALIDATEs it, so that what was there before does not come back. */
    | "marking"
    /** And leaves the intents to run out. */
    | "left"
    /** Only where it stores its own result. It is acknowledged by then. */
    | LateStep
    | "done"
    /** Its process is dead or cut off: only time will end its intents. */
    | "killed"
  /** What is still to be sent. */
  readonly tags: ReadonlyArray<string>
  /** Its commit's place in the log. */
  readonly commit: number | null
  readonly outcome: "committed" | "rolled back" | "unknown"
  /** Nobody waits for the database any more, and it may still commit. */
  readonly pending: boolean
  /** Every BEGIN was carried out before the write: what P2 and P3 take for granted. */
  readonly announced: boolean
  /** Every BEGIN was sent once, and acknowledged. */
  readonly begunOnce: boolean
  /** BEGINs that the server may still carry out. */
  readonly underway: ReadonlyArray<string>
  readonly result: Result | null
  readonly expected: Stamps
  /** The stamps that END or INVALIDATE are to put in place, in its own hand until it is done. */
  readonly next: Readonly<Record<string, Stamp>>
  /** Every END or INVALIDATE answered that its new stamp is in place. */
  readonly isInPlace: boolean
  readonly failed: ReadonlyArray<string>
  readonly hasRetried: boolean
  /** Tags known from the result: invalidated last. */
  readonly identities: ReadonlyArray<string>
}

/** What a writer OBTAINs before it writes: what its INVALIDATE compares, and the guard of a late key. */
export const comparedBy = ({ mode, stores, touches }: Write): ReadonlyArray<string> =>
  stores === null ? [] : [...mode === "strict" ? [] : touches, ...stores.late === null ? [] : [stores.late.guard]]

/** One in whom nothing is left of what it did. */
export const blank = (write: string, token: Fresh): Writer => ({
  write,
  token,
  at: "done",
  tags: [],
  commit: null,
  outcome: "committed",
  pending: false,
  announced: true,
  begunOnce: true,
  underway: [],
  result: null,
  expected: {},
  next: {},
  isInPlace: true,
  failed: [],
  hasRetried: false,
  identities: []
})

/** The first of these steps that the write has. What does nothing that others can see is not a step. */
export const enter = (
  writer: Writer,
  write: Write,
  from: "start" | "beginning" | "writing" | "ending" | "announcing again" | "marking"
): Writer => {
  switch (from) {
    case "start": {
      const tags = comparedBy(write)
      return tags.length > 0 ? { ...writer, at: "obtaining", tags } : enter(writer, write, "beginning")
    }
    case "beginning":
      return write.mode === "strict" && write.apply !== null
        ? { ...writer, at: "beginning", tags: write.touches }
        : enter(writer, write, "writing")
    case "writing":
      return write.apply === null
        ? enter(writer, write, "ending")
        : { ...writer, at: write.stores === null ? "committing" : "updating", tags: [] }
    case "announcing again":
    case "marking":
      return { ...writer, at: from, tags: write.touches, result: null }
    case "ending":
      return { ...writer, at: "ending", tags: [...write.touches, ...writer.identities], isInPlace: true, failed: [] }
  }
}

/** Done, but for the BEGINs that are still on their way. */
export const rest = (writer: Writer): Writer => ({ ...blank(writer.write, writer.token), underway: writer.underway })

/** Nobody hears of it again. Its commit stays known, so that a promise can be made once its intents have expired. */
const vanish = (writer: Writer, at: "killed" | "left"): Writer => ({
  ...rest(writer),
  at,
  commit: writer.commit,
  pending: writer.pending,
  announced: writer.announced
})

export const kill = (writer: Writer): Writer => vanish(writer, "killed")

/** The process lives on, and has told that it does not know how the write ended. */
export const leave = (writer: Writer): Writer => vanish(writer, "left")

export const findWrite = (setup: Setup, name: string): Write => {
  const write = setup.writes.find((candidate) => candidate.name === name)
  if (write === undefined) throw new Error(`There is no write ${name}`)
  return write
}
