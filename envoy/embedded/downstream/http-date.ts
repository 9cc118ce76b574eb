let second = Number.NaN;
let text = '';

/** The time as headers have it (RFC 9110 §5.6.7): made once a second, as it takes longer than most of what a response needs. */
export function httpDate(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1000).toUTCString();
  }
  return text;
}
