/** How much of something a test does: a part of it by default, all of it where `LONG` is set (`npm run test:long`). */
export const amount = (short: number, long: number): number => (process.env["LONG"] === undefined ? short : long)
