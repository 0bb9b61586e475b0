import { writeFile } from "node:fs/promises"
import * as path from "node:path"
import { generate } from "selfsigned"
import type { SubjectAltNameEntry } from "selfsigned"

export interface Certified {
  /** What a client trusts, as text and as a file. */
  readonly ca: string
  readonly caFile: string
  /** What the server is started with. */
  readonly args: ReadonlyArray<string>
}

/** A server's certificate that it gave to itself, so that it is its own authority. */
export const certify = async (
  directory: string,
  name: string,
  altNames: Array<SubjectAltNameEntry>
): Promise<Certified> => {
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [{ name: "basicConstraints", cA: true }, { name: "subjectAltName", altNames }]
  })
  const certFile = path.join(directory, `${name}.pem`)
  const keyFile = path.join(directory, `${name}.key`)
  await writeFile(certFile, cert)
  await writeFile(keyFile, key)
  return {
    ca: cert,
    caFile: certFile,
    args: [
      ...["--tls-cert-file", certFile, "--tls-key-file", keyFile],
      ...["--tls-ca-cert-file", certFile, "--tls-auth-clients", "no"]
    ]
  }
}
