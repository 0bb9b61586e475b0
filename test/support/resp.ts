/** The protocol that Valkey is spoken to in, as far as a test has to read it: requests. */

const newline = Buffer.from("\r\n")

/**
 * Takes a stream of requests apart: hands on each command as soon as all of it is there, its name in lower case first.
 * What is no request it hands on line by line, as a server would read it.
 */
export const requestReader = (onCommand: (command: ReadonlyArray<string>) => void): (chunk: Buffer) => void => {
  let rest: Buffer = Buffer.alloc(0)

  /** The line that begins here, without its end, and where the next one begins. */
  const lineAt = (from: number): readonly [line: string, next: number] | undefined => {
    const end = rest.indexOf(newline, from)
    return end < 0 ? undefined : [rest.toString("latin1", from, end), end + newline.length]
  }
  /** The command at the beginning of what is there, and where the next one begins. */
  const first = (): readonly [command: ReadonlyArray<string>, next: number] | undefined => {
    const head = lineAt(0)
    if (head === undefined || !head[0].startsWith("*")) return head && [head[0].split(" "), head[1]]
    const command: Array<string> = []
    let at = head[1]
    for (let left = Number(head[0].slice(1)); left > 0; left--) {
      const length = lineAt(at)
      if (length === undefined) return undefined
      const end = length[1] + Number(length[0].slice(1))
      if (rest.length < end + newline.length) return undefined
      command.push(rest.toString("latin1", length[1], end))
      at = end + newline.length
    }
    return [command, at]
  }

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let found = first(); found !== undefined; found = first()) {
      const [[name = "", ...args], next] = found
      rest = rest.subarray(next)
      onCommand([name.toLowerCase(), ...args])
    }
  }
}
