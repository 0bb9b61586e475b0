/** Prints what the cache takes of a process: `npm run bench:sizes`. */
import { table } from "./measure.js"
import { loading, sizesOf } from "./sizesOf.js"

const { entry, flight, through } = await sizesOf({ entries: 10_000, keys: 1_000_000 })
const { effect, ours } = await loading(15)

const whole = (value: number) => Math.round(value).toLocaleString("en")
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
process.exit()
