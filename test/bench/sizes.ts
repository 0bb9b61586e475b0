/**
 * Prints what the cache takes of a process.
 *
 *     npm run bench:sizes -- [--entries 10000] [--keys 1000000] [--rounds 15] [--json]
 */
import { parseArgs } from "node:util"
import { table } from "./measure.js"
import { loading, sizesOf } from "./sizesOf.js"

const { values } = parseArgs({
  options: {
    entries: { type: "string", default: "10000" },
    keys: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "15" },
    json: { type: "boolean", default: false }
  }
})
const sizes = await sizesOf({ entries: Number(values.entries), keys: Number(values.keys) })
const { effect, ours } = await loading(Number(values.rounds))
const { entry, flight, through } = sizes

const whole = (value: number) => Math.round(value).toLocaleString("en")
if (values.json) console.log(JSON.stringify({ ...sizes, loading: { ours, effect } }))
else {
  console.log(table([
    ["what", "figure"],
    [`bytes of an entry of the memory tier beyond its payload of ${entry.payload}, as the store has it`, whole(entry.cold)],
    ["the same once it was asked for, as what copies are made of", whole(entry.hot)],
    ["bytes of a key that is being queried, its caller included", whole(flight)],
    [`bytes that ${whole(through.keys)} keys leave behind that went through a tier of ${whole(through.tier)}`, whole(through.growth)],
    ["milliseconds until the extension is loaded", ours.toFixed(0)],
    ["milliseconds until the modules of Effect are that it loads", effect.toFixed(0)],
    ["ratio", (ours / effect).toFixed(2)]
  ]))
}
process.exit()
