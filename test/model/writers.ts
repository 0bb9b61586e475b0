/** Rules 5 to 11: what writers do, and what can go wrong with them. */
import { latest } from "./database.js"
import type { Write } from "./database.js"
import type { Emit } from "./explore.js"
import { fresh } from "./fresh.js"
import { finishOwnResult, ownResultSteps } from "./ownResults.js"
import { mustBeSeen, mustBeSeenFresh } from "./properties.js"
import type { Setup } from "./setup.js"
import { expire, isStamp, isUnderWay, makeStamp } from "./tags.js"
import type { Invalidation } from "./tags.js"
import { begin, forgetIntent, isInOrder, isWorthProlonging, obtain } from "./time.js"
import { stateOf } from "./world.js"
import type { World } from "./world.js"
import { enter, findWrite, kill, leave, rest } from "./writer.js"
import type { Writer } from "./writer.js"

const without = (tags: ReadonlyArray<string>, tag: string): ReadonlyArray<string> =>
  tags.filter((other) => other !== tag)

/** The steps of all writers. */
export const writerSteps = <W extends World>(
  setup: Setup,
  reached: Set<string>
): (world: W, emit: Emit<W>) => void => {
  const { faults, flaw, promised, scripts } = setup
  const can = new Set(faults)

  const put = (draft: W, index: number, writer: Writer): void => {
    draft.writers[index] = writer
  }

  const settle = (draft: W, writer: Writer): void => {
    if (promised !== "P1" && writer.commit !== null && writer.announced) mustBeSeen(draft, writer.commit)
  }

  const beginSteps = (world: W, emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    const [tag = "", ...others] = writer.tags
    const proceed = (draft: W, changes: Partial<Writer>): void => {
      const next = { ...writer, ...changes, tags: others }
      put(draft, index, others.length > 0 ? next : enter(next, write, "writing"))
    }
    emit(`${writer.token} BEGIN ${tag}`, (draft) => {
      begin(setup, draft, tag, writer.token)
      proceed(draft, {})
    })
    if (can.has("BEGIN fails")) {
      emit(`${writer.token} BEGIN ${tag} fails, the write goes on`, (draft) =>
        proceed(draft, { announced: false, begunOnce: false }))
    }
    if (can.has("BEGIN comes late")) {
      emit(`${writer.token} BEGIN ${tag} times out, the write goes on`, (draft) =>
        proceed(draft, { announced: false, begunOnce: false, underway: [...writer.underway, tag] }))
    }
    if (can.has("BEGIN is resent")) {
      emit(`${writer.token} BEGIN ${tag}, a second one is under way`, (draft) => {
        begin(setup, draft, tag, writer.token)
        proceed(draft, { begunOnce: false, underway: [...writer.underway, tag] })
      })
    }
  }

  const isLocked = (world: W, index: number, write: Write): boolean =>
    world.writers.some((other, at) =>
      at !== index && other.at === "committing" && other.result !== null &&
      findWrite(setup, other.write).locks === write.locks)

  const commitSteps = (world: W, emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    if (isLocked(world, index, write) || write.apply === null) return
    const before = latest(world.log)
    const after = write.apply(before, writer.token)
    const roll = (draft: W, changes: Partial<Writer>): void => {
      // After commit there is nothing to take back: such a write has told nobody of itself.
      const next: Writer = { ...writer, outcome: "rolled back", ...changes }
      const hasToEnd = write.mode === "strict" || next.outcome === "unknown"
      put(draft, index, hasToEnd ? enter(next, write, "ending") : rest(next))
    }
    const commit = (draft: W, outcome: "committed" | "unknown"): void => {
      if (after === null) return
      draft.log = [...world.log, after]
      const place = world.log.length
      const identities = write.identities(before, after).filter((tag) => !write.touches.includes(tag))
      put(draft, index, enter({ ...writer, commit: place, outcome, identities }, write, "ending"))
      if (promised === "P3" && write.mode === "strict" && writer.announced) mustBeSeen(draft, place)
    }
    if (after === null) {
      emit(`${writer.token} the database refuses`, (draft) => roll(draft, {}))
      return
    }
    if (writer.at === "updating") {
      emit(`${writer.token} UPDATE`, (draft) => {
        put(draft, index, { ...writer, at: "committing", result: write.stores?.read.query(after) ?? null })
      })
      return
    }
    emit(`${writer.token} COMMIT`, (draft) => commit(draft, "committed"))
    if (can.has("rollback")) emit(`${writer.token} ROLLBACK`, (draft) => roll(draft, {}))
    if (can.has("unknown outcome")) {
      const outcome = flaw === "an unknown outcome counts as a rollback" ? "rolled back" : "unknown"
      emit(`${writer.token} COMMIT, the answer is lost`, (draft) => {
        commit(draft, "unknown")
        put(draft, index, { ...draft.writers[index] ?? writer, outcome })
      })
      emit(`${writer.token} COMMIT does not arrive, nor does an answer`, (draft) => roll(draft, { outcome }))
    }
    if (can.has("lost connection")) {
      emit(`${writer.token} loses its connection`, (draft) => {
        const lost: Writer = { ...writer, outcome: "unknown", pending: true }
        put(draft, index, enter(lost, write, afterLoss(write)))
        if (isInOrder(setup)) draft.ahead.push({ of: "database", token: writer.token })
      })
    }
  }

  /** How a write goes on that will not learn how it ended. */
  const afterLoss = (write: Write): "announcing again" | "marking" | "ending" => {
    if (write.mode === "after-commit" || flaw === "a lost connection counts as the end") return "ending"
    return flaw === "a lost connection leaves intents as they are" ? "marking" : "announcing again"
  }

  /** Commits a write that nobody waits for. Whether it did just before its connection was lost, nobody can tell. */
  const lateCommitSteps = (world: W, emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    const after = writer.pending ? write.apply?.(latest(world.log), writer.token) ?? null : null
    if (after === null || isLocked(world, index, write)) return
    emit(`the database COMMITs what ${writer.token} wrote`, (draft) => {
      draft.log = [...world.log, after]
      const commit = world.log.length
      put(draft, index, { ...writer, commit, pending: false })
      const isAnnounced = promised === "P3" && write.mode === "strict" && writer.announced
      if (isAnnounced || (writer.at === "left" && promised !== "P4")) mustBeSeen(draft, commit)
      reached.add("a commit after the connection was lost")
    })
  }

  /** The intents last, and what was there before does not come back. */
  const leaveSteps = (emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    const { at, tags: [tag = "", ...others], token } = writer
    const carryOut = (draft: W): void => {
      if (at === "announcing again") begin(setup, draft, tag, token)
      else draft.tags[tag] = scripts.invalidate(stateOf(draft, tag), { how: "kill" }).state
    }
    const proceed = (draft: W): void => {
      if (others.length > 0) return put(draft, index, { ...writer, tags: others })
      if (at === "announcing again") return put(draft, index, enter(writer, write, "marking"))
      // Its own process knows of no commit: to have told so is its acknowledgement.
      if (writer.commit !== null) mustBeSeen(draft, writer.commit)
      put(draft, index, leave(writer))
    }
    const command = at === "announcing again" ? `BEGIN ${tag} again` : `INVALIDATE ${tag}`
    emit(`${token} ${command}`, (draft) => {
      carryOut(draft)
      proceed(draft)
    })
    if (can.has("retry") && !writer.hasRetried) {
      emit(`${token} ${command} is carried out, the answer is lost`, (draft) => {
        carryOut(draft)
        put(draft, index, { ...writer, hasRetried: true })
      })
    }
  }

  const invalidation = (writer: Writer, write: Write, tag: string): Invalidation => {
    const next = writer.next[tag]
    if (write.soft) return { how: "expire", soft: fresh() }
    return next === undefined ? { how: "kill" } : { how: "swap", expected: writer.expected[tag] ?? null, next }
  }

  const endSteps = (world: W, emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    const [tag = "", ...others] = writer.tags
    const hasBegun = write.mode === "strict" && write.apply !== null && write.touches.includes(tag)
    const command = hasBegun ? "END" : write.soft ? "INVALIDATE softly" : "INVALIDATE"

    /** Under an unknown outcome, or where a BEGIN is in doubt, no new stamp is asked for: the result is not stored. */
    const mayStore = write.stores !== null && writer.outcome === "committed" &&
      (writer.begunOnce || flaw === "an unacknowledged BEGIN counts")
    const isTouched = write.touches.includes(tag)

    const carryOut = (draft: W): Writer => {
      const next = mayStore && isTouched && writer.next[tag] === undefined
        ? { ...writer.next, [tag]: makeStamp(fresh()) }
        : writer.next
      const state = stateOf(draft, tag)
      const ending = writer.outcome === "rolled back" ? "rollback" : "commit"
      const result = hasBegun
        ? scripts.end(state, writer.token, ending, next[tag] ?? null)
        : scripts.invalidate(state, invalidation({ ...writer, next }, write, tag))
      if (ending === "rollback" && isStamp(result.state)) reached.add("a rollback put a stamp back")
      draft.tags[tag] = result.state
      forgetIntent(draft, tag, writer.token)
      return { ...writer, next, isInPlace: writer.isInPlace && (result.answer || !isTouched) }
    }

    const proceed = (draft: W, changed: Writer): void => {
      const next = { ...changed, tags: others }
      if (others.length > 0) return put(draft, index, next)
      if (next.failed.length > 0) {
        const again = enter({ ...next, hasRetried: true }, write, "ending")
        const tags = flaw === "a retry sends only what failed" ? next.failed : again.tags
        return put(draft, index, { ...again, tags })
      }
      if (writer.commit !== null) (write.soft ? mustBeSeenFresh : mustBeSeen)(draft, writer.commit)
      const acknowledged = writer.pending ? leave(next) : rest(next)
      put(draft, index, mayStore && next.isInPlace ? finishOwnResult(next, write, flaw) : acknowledged)
    }

    const suffix = writer.outcome === "rolled back" ? " (rolled back)" : ""
    emit(`${writer.token} ${command} ${tag}${suffix}`, (draft) => proceed(draft, carryOut(draft)))
    if (can.has("retry") && !writer.hasRetried) {
      emit(`${writer.token} ${command} ${tag} fails`, (draft) =>
        proceed(draft, { ...writer, failed: [...writer.failed, tag] }))
      emit(`${writer.token} ${command} ${tag} is carried out, the answer is lost`, (draft) => {
        const changed = carryOut(draft)
        proceed(draft, { ...changed, failed: [...changed.failed, tag] })
      })
    }
  }

  /** What befalls a writer from outside. */
  const fates = (world: W, emit: Emit<W>, index: number, writer: Writer, write: Write): void => {
    const { token } = writer
    for (const tag of writer.underway) {
      emit(`${token} late BEGIN ${tag} is carried out`, (draft) => {
        begin(setup, draft, tag, token)
        put(draft, index, { ...writer, underway: without(writer.underway, tag) })
      })
    }
    lateCommitSteps(world, emit, index, writer, write)
    if (write.mode !== "strict" || write.apply === null) return
    const { at } = writer
    const isGone = at === "killed" || at === "left"
    const isRunning = at !== "done" && !isGone
    const open = write.touches.filter((tag) => isUnderWay(stateOf(world, tag), token))
    if (can.has("kill") && isRunning && (open.length > 0 || writer.commit !== null)) {
      emit(`${token} is killed`, (draft) => {
        const pending = writer.pending ||
          (can.has("lost connection") && (at === "updating" || at === "committing"))
        put(draft, index, kill({ ...writer, pending }))
      })
    }
    if (isInOrder(setup)) {
      for (const tag of at === "updating" || at === "committing" ? write.touches : []) {
        if (!isWorthProlonging(world, tag, token)) continue
        emit(`${token} BEGIN ${tag} again, to prolong it`, (draft) => {
          begin(setup, draft, tag, token)
          put(draft, index, { ...writer, begunOnce: false })
        })
      }
      return
    }
    if (isGone) {
      emit(`${token} all intents expire`, (draft) => {
        for (const tag of open) draft.tags[tag] = expire(stateOf(draft, tag), token)
        if (at === "killed") settle(draft, writer)
        put(draft, index, rest(writer))
      })
    }
    // What was prolonged when the connection was lost lasts longer than the database may take.
    const isProlonged = (tag: string) => at === "marking" || (at === "announcing again" && !writer.tags.includes(tag))
    const expiresByOne = isRunning ? can.has("early expiry") : at === "done" || setup.expiries === "one by one"
    if (expiresByOne) {
      for (const tag of isGone && open.length === 1 ? [] : open) {
        if (isProlonged(tag)) continue
        emit(`${token} intent on ${tag} expires${isRunning ? " while it runs" : ""}`, (draft) => {
          draft.tags[tag] = expire(stateOf(draft, tag), token)
          if (isGone) put(draft, index, { ...writer, pending: false })
        })
      }
    }
  }

  return (world, emit) => {
    world.writers.forEach((writer, index) => {
      const write = findWrite(setup, writer.write)
      switch (writer.at) {
        case "obtaining": {
          const [tag = "", ...others] = writer.tags
          emit(`${writer.token} OBTAIN ${tag}`, (draft) => {
            const state = obtain(setup, draft, tag)
            const expected = isStamp(state) ? { ...writer.expected, [tag]: state } : writer.expected
            const next = { ...writer, expected, tags: others }
            put(draft, index, others.length > 0 ? next : enter(next, write, "beginning"))
          })
          break
        }
        case "beginning":
          beginSteps(world, emit, index, writer, write)
          break
        case "updating":
        case "committing":
          commitSteps(world, emit, index, writer, write)
          break
        case "announcing again":
        case "marking":
          leaveSteps(emit, index, writer, write)
          break
        case "ending":
          endSteps(world, emit, index, writer, write)
          break
        case "obtaining late":
        case "comparing":
        case "storing":
          ownResultSteps(setup, reached, emit, index, writer, write)
          break
      }
      fates(world, emit, index, writer, write)
    })
  }
}

