// Makes elements. Text becomes text: nothing on this page is ever read as markup.

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @param {string} tag `div`, or `div.class.other`
 * @param {Record<string, unknown>} [attributes] a function is a listener, `true` an empty attribute, `false` and
 *   `undefined` none
 * @param {Child[]} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name = 'div', ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, /** @type {EventListener} */ (value));
    else if (value !== undefined && value !== false) element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(nodeOf));
  return element;
}

/** @param {Child} child */
function nodeOf(child) {
  return child instanceof Node ? child : String(child);
}

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`there is no #${id}`);
  return element;
}

/** Where a section shows what it has. @param {string} section */
export function contentOf(section) {
  return /** @type {HTMLElement} */ (byId(section).querySelector('.content'));
}

/** Says something to who does not see the page as well. @param {string} text */
export function tell(text) {
  byId('told').textContent = text;
}

/** @param {string} text @param {'good' | 'warn' | 'bad' | ''} [kind] */
export function badge(text, kind = '') {
  return h(kind === '' ? 'span.badge' : `span.badge.${kind}`, {}, text);
}

/** @param {'warn' | 'bad' | ''} kind @param {Child[]} children */
export function note(kind, ...children) {
  return h(kind === '' ? 'div.note' : `div.note.${kind}`, {}, ...children);
}

/** A button that copies a text. @param {string} what for who hears it @param {() => string} text */
export function copyButton(what, text) {
  const button = h('button.small', { type: 'button', 'aria-label': `Copy ${what}`, click: copy }, 'Copy');
  return button;
  async function copy() {
    const done = await copied(text());
    button.textContent = done ? 'Copied' : 'Select and copy it';
    tell(done ? `Copied: ${what}` : `The browser does not let this page copy ${what}`);
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  }
}

/** Over plain HTTP browsers have no clipboard but the old one. @param {string} text */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = /** @type {HTMLTextAreaElement} */ (h('textarea', { readonly: true, 'aria-hidden': 'true' }));
    area.value = text;
    const within = document.querySelector('dialog[open]') ?? document.body;
    within.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/** A text to copy, under its heading. @param {string} title @param {string} text @param {string} [place] */
export function copyable(title, text, place = '') {
  return h(
    'div.copyable',
    {},
    h(
      'div.head',
      {},
      h('h3', {}, title),
      h('code.quiet', {}, place),
      copyButton(title, () => text),
    ),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': title }, text),
  );
}

/** Names and what they mean. @param {([string, Child | Child[]] | false)[]} entries */
export function pairs(entries) {
  const given = entries.filter((entry) => entry !== false);
  const list = h('dl');
  for (const [name, value] of given) {
    list.append(h('dt', {}, name), h('dd', {}, ...(Array.isArray(value) ? value : [value])));
  }
  return list;
}

/** @param {string} label what the table shows, for who does not see it @param {string[]} head @param {Child[][]} rows */
export function table(label, head, rows) {
  return h(
    'div.scroll',
    { tabindex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...rows.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))))),
    ),
  );
}

/** @param {Record<string, unknown>} attributes */
export function input(attributes) {
  return /** @type {HTMLInputElement} */ (h('input', { spellcheck: 'false', ...attributes }));
}

let fields = 0;

/** A control under its label. @param {string} label @param {HTMLElement} control @param {string} [hint] */
export function field(label, control, hint) {
  const id = control.id || `field-${++fields}`;
  control.id = id;
  if (hint) control.setAttribute('aria-describedby', `${id}-hint`);
  return h('div.field', {}, h('label', { for: id }, label), control, hint && h('small', { id: `${id}-hint` }, hint));
}

/** @param {readonly (string | [string, string])[]} options values, or values with what is shown @param {object} [attributes] */
export function select(options, attributes = {}) {
  return /** @type {HTMLSelectElement} */ (
    h(
      'select',
      { ...attributes },
      ...options.map((each) => {
        const [value, text] = Array.isArray(each) ? each : [each, each];
        return h('option', { value }, text);
      }),
    )
  );
}

/** What was open stays open when it is shown anew. @type {Set<string>} */
const open = new Set();

/**
 * A part that is filled when it is opened first.
 * @param {string} key the same for the same thing
 * @param {Child[]} summary
 * @param {() => Child[] | Promise<Child[]>} fill
 * @param {boolean} [atFirst] whether it is open unless it was closed
 */
export function foldable(key, summary, fill, atFirst = false) {
  const body = h('div.body');
  const details = /** @type {HTMLDetailsElement} */ (h('details', {}, h('summary', {}, ...summary), body));
  let filled = false;
  const show = async () => {
    if (filled) return;
    filled = true;
    const made = fill();
    if (made instanceof Promise) body.replaceChildren(h('p.quiet', {}, 'Asking …'));
    const children = await Promise.resolve(made).catch((error) => [note('bad', error.message)]);
    body.replaceChildren(...h('div', {}, ...children).childNodes);
  };
  details.addEventListener('toggle', () => {
    if (details.open) open.add(key);
    else open.delete(key);
    if (atFirst) open[details.open ? 'delete' : 'add'](`closed ${key}`);
    if (details.open) void show();
  });
  if (open.has(key) || (atFirst && !open.has(`closed ${key}`))) details.open = true;
  return details;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {string | number} time ISO 8601, or seconds since 1970 */
export function timeText(time) {
  const date = new Date(typeof time === 'number' ? time * 1000 : time);
  if (Number.isNaN(date.getTime())) return String(time);
  return h('time', { datetime: date.toISOString(), title: date.toISOString() }, date.toLocaleString());
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
