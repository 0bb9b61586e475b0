/** Options of a cache whose test says nothing about how fast the machine is that it runs on: milliseconds. */
export const unhurried = { budget: 30_000, writeBudget: 30_000 }
