export { startProxy } from "../support/proxy.js"
export type { Proxy } from "../support/proxy.js"
