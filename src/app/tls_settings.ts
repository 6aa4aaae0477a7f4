/** What the tls-* directives ask for, with the files that they name. */
import type { Values } from "../config/parameters.ts";
import { unicodeOf } from "../config/words.ts";
import { builtinModule } from "../lib/builtin_module.ts";
import { systemText } from "../lib/system_error.ts";
import { isNodeTlsSound, needsNode, type TlsSettings, tryCertificate } from "../net/tls.ts";

/** Why the settings can't be had: texts as Redis logs them, where Redis has the same reason. */
export class TlsFailure extends Error {
  /** `isUnsupported`: no file is at fault, and CONFIG SET tells the client why. */
  constructor(message: string, readonly isUnsupported = false) {
    super(message);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Reads the files and tries them. Throws a `TlsFailure`. */
export function readTlsSettings(values: Values): TlsSettings {
  const { tlsCertFile, tlsKeyFile, tlsAuthClients } = values;
  if (tlsCertFile === "") throw new TlsFailure("No tls-cert-file configured!");
  if (tlsKeyFile === "") throw new TlsFailure("No tls-key-file configured!");
  if (tlsAuthClients !== "no" && values.tlsCaCertFile === "" && values.tlsCaCertDir === "") {
    throw new TlsFailure(
      "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, " +
        "tls-replication or tls-auth-clients are enabled!",
    );
  }
  const settings: TlsSettings = {
    certificate: readText(tlsCertFile, "Failed to load certificate"),
    key: readKey(tlsKeyFile, values.tlsKeyFilePass),
    clients: tlsAuthClients as TlsSettings["clients"],
    authorities: readAuthorities(values),
    onlyVersion: onlyVersion(values.tlsProtocols),
  };
  if (needsNode(settings) && !isNodeTlsSound()) throw tooOld(settings);
  check(settings, values);
  return settings;
}

function tooOld({ clients }: TlsSettings): TlsFailure {
  const { deno } = Deno.version;
  if (clients === "no") {
    const text =
      `One version of TLS alone, as tls-protocols asks for, needs Deno 2.9: this is ${deno}`;
    return new TlsFailure(text, true);
  }
  return new TlsFailure(
    `tls-auth-clients ${clients} needs Deno 2.9: this is ${deno}, which would let in clients without ` +
      "a certificate. Say tls-auth-clients no, and let clients show a password",
    true,
  );
}

const NO_OLD_PROTOCOLS = "TLSv1 and TLSv1.1 are not supported: say TLSv1.2, TLSv1.3 or both";

function onlyVersion(protocols: string): TlsSettings["onlyVersion"] {
  if (protocols === "") return null;
  const words = protocols.split(" ").map((word) => word.toLowerCase());
  const known = ["tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"];
  if (!words.every((word) => known.includes(word))) {
    throw new TlsFailure(
      "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.",
    );
  }
  if (words.includes("tlsv1") || words.includes("tlsv1.1")) {
    throw new TlsFailure(NO_OLD_PROTOCOLS, true);
  }
  if (!words.includes("tlsv1.2")) return "TLSv1.3";
  return words.includes("tlsv1.3") ? null : "TLSv1.2";
}

function readText(path: string, failure: string): string {
  try {
    return Deno.readTextFileSync(unicodeOf(path));
  } catch (error) {
    throw unreadable(error, `${failure}: ${unicodeOf(path)}`);
  }
}

/** What could not be read: no such file, say, or one that the process has given up its permission for (sandbox.ts). */
function unreadable(error: unknown, what: string): TlsFailure {
  if (!(error instanceof Deno.errors.NotCapable)) {
    return new TlsFailure(`${what}: ${systemText(error)}`);
  }
  const why = "a running server may read only the files that it was started with, and those in dir";
  return new TlsFailure(`${what}: ${why}`, true);
}

/** The key as Deno takes it: without a password. */
function readKey(path: string, password: string): string {
  const failure = "Failed to load private key";
  const text = readText(path, failure);
  if (!text.includes("ENCRYPTED")) return text;
  const place = `${failure}: ${unicodeOf(path)}`;
  if (password === "") {
    throw new TlsFailure(`${place}: it is encrypted, and there is no tls-key-file-pass`);
  }
  const { createPrivateKey } = builtinModule<typeof import("node:crypto")>("node:crypto");
  try {
    const key = createPrivateKey({ key: text, format: "pem", passphrase: unicodeOf(password) });
    return key.export({ type: "pkcs8", format: "pem" }).toString();
  } catch {
    // Not the runtime's text: it differs between versions, and must not hold anything of the key.
    throw new TlsFailure(`${place}: it can't be decrypted with tls-key-file-pass`);
  }
}

/** The certificates of the file and of all files of the directory, which need no names of a certain form. */
function readAuthorities({ tlsCaCertFile, tlsCaCertDir }: Values): string[] {
  const failure = "Failed to configure CA certificate(s) file/directory";
  const found: string[] = [];
  if (tlsCaCertFile !== "") {
    const certificates = readText(tlsCaCertFile, failure).match(CERTIFICATE);
    if (certificates === null) {
      throw new TlsFailure(`${failure}: ${unicodeOf(tlsCaCertFile)}: it holds no certificate`);
    }
    found.push(...certificates);
  }
  if (tlsCaCertDir !== "") found.push(...authoritiesIn(unicodeOf(tlsCaCertDir), failure));
  return found;
}

function authoritiesIn(directory: string, failure: string): string[] {
  const found: string[] = [];
  try {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      if (isDirectory) continue;
      found.push(...Deno.readTextFileSync(`${directory}/${name}`).match(CERTIFICATE) ?? []);
    }
  } catch (error) {
    throw unreadable(error, `${failure}: ${directory}`);
  }
  if (found.length > 0) return found;
  throw new TlsFailure(`${failure}: ${directory}: its files hold no certificate`);
}

/** Has the runtime look at the certificates. */
function check(settings: TlsSettings, { tlsCertFile, tlsKeyFile }: Values): void {
  try {
    tryCertificate(settings);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const [what, path] = why.startsWith("No certificates")
      ? ["certificate", tlsCertFile]
      : ["private key", tlsKeyFile];
    throw new TlsFailure(`Failed to load ${what}: ${unicodeOf(path)}: ${why}`);
  }
  if (!needsNode(settings)) return;
  // Loading it takes longer than all else. Now the old listeners still serve.
  builtinModule("node:tls");
  const { X509Certificate } = builtinModule<typeof import("node:crypto")>("node:crypto");
  for (const authority of settings.authorities) {
    try {
      new X509Certificate(authority);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new TlsFailure(`Failed to configure CA certificate(s) file/directory: ${why}`);
    }
  }
}
