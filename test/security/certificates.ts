import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"

/** Whether this machine can make certificates. */
export const canCertify: boolean = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

export interface Certified {
  /** What a client trusts, as text and as a file. */
  readonly ca: string
  readonly caFile: string
  /** What the server is started with. */
  readonly args: ReadonlyArray<string>
}

/** An authority, and the certificate that it gives to a server of this name. */
export const certify = (directory: string, name: string, altName: string): Certified => {
  const file = (end: string) => path.join(directory, `${name}-${end}`)
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { stdio: "ignore" })
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  openssl(
    ...["req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name} authority`],
    ...["-keyout", file("ca.key"), "-out", file("ca.pem")]
  )
  openssl("req", ...key, "-subj", `/CN=${name}`, "-keyout", file("server.key"), "-out", file("server.csr"))
  writeFileSync(file("ext"), `subjectAltName=${altName}\n`)
  openssl(
    ...["x509", "-req", "-days", "2", "-in", file("server.csr"), "-extfile", file("ext")],
    ...["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-out", file("server.pem")]
  )
  return {
    ca: readFileSync(file("ca.pem"), "utf8"),
    caFile: file("ca.pem"),
    args: [
      ...["--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key")],
      ...["--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no"]
    ]
  }
}
