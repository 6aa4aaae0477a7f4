/** Certificates for tests, made anew by each: keys on P-256, X.509 in DER (RFC 5280), PEM around it. */

/** A certificate, and the key that it is about. */
export interface Identity {
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8, without a password. */
  readonly key: string;
  readonly keys: CryptoKeyPair;
}

export interface CertificateOptions {
  /** Who signs; itself, if nobody is named. */
  readonly issuer?: Identity;
  readonly isAuthority?: boolean;
  /** What it may be used for, besides everything. */
  readonly usage?: "client" | "server";
  /** Whether it has expired. */
  readonly isOver?: boolean;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const DAY_MS = 86_400_000;
/** Object identifiers in DER. */
const Id = {
  commonName: [0x55, 4, 3],
  basicConstraints: [0x55, 0x1d, 0x13],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  subjectAltName: [0x55, 0x1d, 0x11],
  serverAuth: [0x2b, 6, 1, 5, 5, 7, 3, 1],
  clientAuth: [0x2b, 6, 1, 5, 5, 7, 3, 2],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
} as const;

/** Makes a key and a certificate for it, valid for localhost and 127.0.0.1 from yesterday until tomorrow. */
export async function makeCertificate(
  name: string,
  { issuer, isAuthority = false, usage, isOver = false }: CertificateOptions = {},
): Promise<Identity> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const signer = issuer ?? { name, keys };
  const now = Date.now();
  const signature = sequence(object(Id.ecdsaWithSha256));
  const extensions = [
    extension(Id.basicConstraints, sequence(...isAuthority ? [[1, 1, 0xff]] : [])),
    extension(
      Id.subjectAltName,
      sequence(tlv(0x82, ascii("localhost")), tlv(0x87, [127, 0, 0, 1])),
    ),
  ];
  if (usage !== undefined) {
    const id = usage === "client" ? Id.clientAuth : Id.serverAuth;
    extensions.push(extension(Id.extendedKeyUsage, sequence(object(id))));
  }
  const body = sequence(
    tlv(0xa0, tlv(2, [2])),
    tlv(2, [1, ...crypto.getRandomValues(new Uint8Array(8))]),
    signature,
    distinguishedName(signer.name),
    sequence(time(now - 2 * DAY_MS), time(isOver ? now - DAY_MS : now + DAY_MS)),
    distinguishedName(name),
    [...new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey))],
    tlv(0xa3, sequence(...extensions)),
  );
  const hash = { name: "ECDSA", hash: "SHA-256" };
  const raw = await crypto.subtle.sign(hash, signer.keys.privateKey, Uint8Array.from(body));
  const certificate = sequence(body, signature, tlv(3, [0, ...signatureOf(new Uint8Array(raw))]));
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    name,
    keys,
    certificate: pem("CERTIFICATE", Uint8Array.from(certificate)),
    key: pem("PRIVATE KEY", new Uint8Array(key)),
  };
}

/** The paths of what one server and its clients need. */
export interface CertificateFiles {
  readonly directory: string;
  readonly authority: string;
  /** Writes NAME.crt and NAME.key; returns their paths. */
  write(name: string, identity: Identity): { certificate: string; key: string };
}

/** A directory for certificates, with that of `authority` in it. */
export function certificateFiles(authority: Identity): CertificateFiles {
  const directory = Deno.makeTempDirSync();
  const write: CertificateFiles["write"] = (name, identity) => {
    const paths = { certificate: `${directory}/${name}.crt`, key: `${directory}/${name}.key` };
    Deno.writeTextFileSync(paths.certificate, identity.certificate);
    Deno.writeTextFileSync(paths.key, identity.key);
    return paths;
  };
  return { directory, authority: write("authority", authority).certificate, write };
}

/** A value in DER: its tag, its length, its bytes. */
function tlv(tag: number, content: readonly number[]): number[] {
  const { length } = content;
  if (length < 0x80) return [tag, length, ...content];
  if (length < 0x100) return [tag, 0x81, length, ...content];
  return [tag, 0x82, length >> 8, length & 0xff, ...content];
}

function sequence(...parts: readonly (readonly number[])[]): number[] {
  return tlv(0x30, parts.flat());
}

function object(id: readonly number[]): number[] {
  return tlv(6, id);
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

function extension(id: readonly number[], value: readonly number[]): number[] {
  return sequence(object(id), tlv(4, value));
}

function distinguishedName(name: string): number[] {
  return sequence(tlv(0x31, sequence(object(Id.commonName), tlv(0x0c, ascii(name)))));
}

/** "261130221500Z" */
function time(ms: number): number[] {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\..*/g, "");
  return tlv(0x17, ascii(`${digits.slice(2)}Z`));
}

/** Two numbers of 32 bytes as a sequence of two integers in DER. */
function signatureOf(raw: Uint8Array): number[] {
  return sequence(positive(raw.subarray(0, 32)), positive(raw.subarray(32)));
}

function positive(bytes: Uint8Array): number[] {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const digits = [...bytes.subarray(at)];
  return tlv(2, digits[0] >= 0x80 ? [0, ...digits] : digits);
}

function pem(label: string, bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes)).replaceAll(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
}
