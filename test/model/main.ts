/**
 * Explores every configuration of the protocol and says what came of it: `npm run model`, or `npm run model -- WORD`
 * for those whose names hold the word. See docs/model.md.
 */
import { objection } from "./configuration.js"
import type { Configuration } from "./configuration.js"
import { configurations } from "./configurations.js"
import { mutants } from "./mutants.js"

const word = process.argv[2] ?? ""

const report = (configuration: Configuration): boolean => {
  const outcome = configuration.explore()
  const wrong = objection(configuration, outcome)
  const figures = `${outcome.states} states, ${outcome.depth} steps deep, ${(outcome.millis / 1000).toFixed(1)} s`
  console.log(`${outcome.verdict.toUpperCase().padEnd(8)} ${configuration.name} (${figures})`)
  if (wrong !== null) console.log(`  NOT AS EXPECTED: ${wrong}`)
  if (outcome.violation !== null) console.log(`  ${outcome.violation}`)
  outcome.trace.forEach((line, index) => console.log(`  ${String(index + 1).padStart(2)}. ${line}`))
  return wrong === null
}

const results = [...configurations, ...mutants].filter(({ name }) => name.includes(word)).map(report)
const surprises = results.filter((isAsExpected) => !isAsExpected).length
const seconds = Math.round(process.cpuUsage().user / 1e6)
console.log(`${results.length} configurations, ${surprises} not as expected, ${seconds} s of processor time`)
process.exitCode = surprises === 0 ? 0 : 1
