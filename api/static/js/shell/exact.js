/** JSON whose seeds have 64 bits: one that a number cannot hold comes as text, so that no digit is lost. */
const LARGE_SEED = /("seed":\s*)(\d{16,})(?=\s*[,}])/gi; // within a text the quotation mark would be escaped
/** Parse an answer of the server. @param {string} text */
export const parseExact = (text) =>
  JSON.parse(
    text.replace(LARGE_SEED, (all, name, digits) =>
      Number.isSafeInteger(Number(digits)) ? all : `${name}"${digits}"`,
    ),
  );
