/** Whether a glob matches all of a text: `*` is any run of characters, `?` any one. It takes their lengths' product at most. */
export function matchesGlob(glob: string, text: string): boolean {
  let [at, index] = [0, 0];
  let [star, mark] = [-1, 0];
  while (at < text.length) {
    if (glob[index] === '*') {
      star = index++;
      mark = at;
    } else if (glob[index] === '?' || (index < glob.length && glob[index] === text[at])) {
      index++;
      at++;
    } else if (star >= 0) {
      index = star + 1;
      at = ++mark;
    } else return false;
  }
  while (glob[index] === '*') index++;
  return index === glob.length;
}
