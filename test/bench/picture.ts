/**
 * Draws what `npm run bench -- --json FILE` wrote: a bar for each contestant, row by row, or of those rows alone that are
 * named.
 *
 *     npx tsx test/bench/picture.ts FILE [PICTURE.svg] [--only "hit, 1 row"] [--cpu]
 *
 * Without a second file it is printed. The colours are fit for light and dark pages.
 */
import { readFile, writeFile } from "node:fs/promises"
import { parseArgs } from "node:util"
import type { Report } from "./run.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string", multiple: true, default: [] }, cpu: { type: "boolean", default: false } }
})
const [input, output] = positionals
if (input === undefined) throw new Error("Say which file to draw")

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

const number = (value: number) => value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 })

const layout = { width: 760, label: 250, figure: 90, line: 20, heading: 44 }

const draw = (report: Report): string => {
  const rows = report.rows.filter(({ row }) => values.only.length === 0 || values.only.includes(row))
  const room = layout.width - layout.label - layout.figure
  const parts: Array<string> = []
  let y = 0
  for (const { figures, row } of rows) {
    y += layout.heading
    parts.push(`<text class="row" x="0" y="${y - 12}">${escaped(row)}</text>`)
    const shown = figures.map((figure) => ({ name: figure.contestant, value: values.cpu ? figure.cpuMicros : figure.micros }))
    const most = Math.max(...shown.map(({ value }) => value))
    for (const { name, value } of shown) {
      const width = Math.max(1, Math.round(room * value / most))
      parts.push(
        `<text x="${layout.label - 8}" y="${y + 14}" text-anchor="end">${escaped(name)}</text>` +
        `<rect class="${name.startsWith("ours") ? "ours" : "other"}" x="${layout.label}" y="${y + 3}" width="${width}" height="14" rx="2"/>` +
        `<text x="${layout.label + width + 6}" y="${y + 14}">${number(value)} µs</text>`
      )
      y += layout.line
    }
  }
  const { load, node, processors } = report.machine
  const what = `${values.cpu ? "CPU" : "time"} of a call, median of ${report.rounds} rounds; Node.js ${node}, ${processors}, ` +
    `load ${load.map((value) => value.toFixed(1)).join(" to ")}, scale ${report.scale}`
  y += 28
  parts.push(`<text class="note" x="0" y="${y - 6}">${escaped(what)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${y}" width="${layout.width}" height="${y}" role="img">
<title>${escaped(what)}</title>
<style>
text { font: 12px system-ui, sans-serif; fill: #57606a }
.row { font-weight: 600; font-size: 14px; fill: #24292f }
.note { font-size: 11px }
.ours { fill: #2f81f7 }
.other { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #9da7b3 }
  .row { fill: #e6edf3 }
  .other { fill: #6e7681 }
}
</style>
${parts.join("\n")}
</svg>
`
}

const picture = draw(JSON.parse(await readFile(input, "utf8")) as Report)
if (output === undefined) console.log(picture)
else await writeFile(output, picture)
