/** What several test vectors of RFC 8439 share. */

/** Spaces, colons and line breaks are for the eye. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hexadecimal: ${text}`);
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export const ZERO_KEY = new Uint8Array(32);
export const ZERO_NONCE = new Uint8Array(12);
/** 00 … 00 01 */
export const ONE_KEY = hex('00'.repeat(31) + '01');
/** 00 … 00 02 */
export const TWO_NONCE = hex('00'.repeat(11) + '02');
export const OTHER_KEY = hex('1c9240a5eb55d38af333888604f6b5f0 473917c1402b80099dca5cbc207075c0');

/** §2.4.2, §2.8.2 */
export const SUNSCREEN = utf8(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
);

/** A.2 #2, A.3 #2 and #3 */
export const SUBMISSION = utf8(
  'Any submission to the IETF intended by the Contributor for publication as all or part of an IETF Internet-Draft ' +
    'or RFC and any statement made within the context of an IETF activity is considered an "IETF Contribution". Such ' +
    'statements include oral statements in IETF sessions, as well as written and electronic communications made at ' +
    'any time or place, which are addressed to',
);

/** A.2 #3, A.3 #4 */
export const JABBERWOCKY = utf8(
  "'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\n" +
    'All mimsy were the borogoves,\nAnd the mome raths outgrabe.',
);
