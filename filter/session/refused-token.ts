import { Arena } from '../bytes/arena';
import { FIXED64, fieldsIn } from '../bytes/protobuf';
import { entryIn, NUMBER, structIn } from '../bytes/protobuf-struct';
import { Span, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';

/**
 * Why jwt_authn found a token not good. It leaves a code for each provider that has looked at the token
 * (`failed_status_in_metadata`), under the names that envoy/render/token-filter.ts gives: `refused-0`, `refused-1` …, in the
 * order of `auth.issuers`. What is told of a code is which check has failed, and nothing of what would have passed.
 */
const JWT_AUTHN = literal('envoy.filters.http.jwt_authn');
const REFUSED = literal('refused-');
const CODE = literal('code');

/** Codes of jwt_verify_lib (`Status`), as Envoy 1.36 to 1.40 leave them. */
const NOT_YET_VALID: u32 = 2;
const EXPIRED: u32 = 3;
const FIRST_MALFORMED: u32 = 4;
const LAST_MALFORMED: u32 = 23;
const UNKNOWN_ISSUER: u32 = 24;
const OTHER_AUDIENCE: u32 = 25;
const BAD_SIGNATURE: u32 = 26;
const UNKNOWN_KEY: u32 = 32;

/** Each fits behind "the token is not good: ", and into a quoted string of a header (RFC 6750 §3, `error_description`). */
const IS_NOT_YET_VALID = literal('it is not valid yet');
const HAS_EXPIRED = literal('it has expired');
const IS_MALFORMED = literal('it is not a JWT that can be read, or of an algorithm that is not supported');
const IS_OF_OTHER_ISSUER = literal('its issuer is not one of this gateway');
const IS_FOR_OTHER_AUDIENCE = literal('it is for another audience');
const HAS_BAD_SIGNATURE = literal('its signature is not good');
const HAS_UNKNOWN_KEY = literal('it was signed with a key that is not known here');
export const HAS_NO_SUBJECT = literal('it has no subject or no issuer');
/** jwt_authn looks at `Bearer ` alone, in this spelling; to HTTP schemes are the same in any case (RFC 9110 §11.1). */
export const HAS_OTHER_SPELLING = literal('its scheme has to be written Bearer');

/**
 * What is wrong with the token of a request, or NONE: no provider has looked at one, or it is not known.
 * @param metadata the serialized `envoy.config.core.v3.Metadata` @param issuers how many there are in the configuration
 */
export function whyRefused(metadata: Span, issuers: u32, arena: Arena): Span {
  const struct = entryIn(metadata, JWT_AUTHN, arena);
  if (struct === NONE) return NONE;
  let code: u32 = 0;
  for (let i: u32 = 0; i < issuers; i++) {
    const name = newWriter(arena, 24)
      .bytes(REFUSED)
      .decimal(i as u64).written;
    const found = codeIn(structIn(entryIn(struct, name, arena), arena), arena);
    // The provider that knows the issuer has the better words.
    if (found !== 0 && (code === 0 || code === UNKNOWN_ISSUER)) code = found;
  }
  return describe(code);
}

function describe(code: u32): Span {
  switch (code) {
    case NOT_YET_VALID:
      return IS_NOT_YET_VALID;
    case EXPIRED:
      return HAS_EXPIRED;
    case UNKNOWN_ISSUER:
      return IS_OF_OTHER_ISSUER;
    case OTHER_AUDIENCE:
      return IS_FOR_OTHER_AUDIENCE;
    case BAD_SIGNATURE:
      return HAS_BAD_SIGNATURE;
    case UNKNOWN_KEY:
      return HAS_UNKNOWN_KEY;
    default:
      return code >= FIRST_MALFORMED && code <= LAST_MALFORMED ? IS_MALFORMED : NONE;
  }
}

/** A code, or 0: there is none. */
function codeIn(status: Span, arena: Arena): u32 {
  if (status === NONE) return 0;
  const value = entryIn(status, CODE, arena);
  if (value === NONE) return 0;
  const kind = fieldsIn(value, arena);
  if (!kind.next() || kind.field !== NUMBER || kind.type !== FIXED64) return 0;
  const code = load<f64>(pointer(kind.bytes));
  return code >= 1 && code <= 255 ? (code as u32) : 0;
}
