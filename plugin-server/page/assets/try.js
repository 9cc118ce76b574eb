// Tries a tool: a call through a gateway, as any client would make it.
import { ask, path } from './api.js';
import { badge, byId, field, h, note, select, tell } from './dom.js';

/** Pages of a list that are read. */
const mostPages = 10;

/** @param {string} gateway @param {{ endpoint?: string, authorization?: string }} [at] */
export async function toolsOf(gateway, at = {}) {
  const tools = [];
  let cursor;
  for (let page = 0; page < mostPages; page++) {
    const tried = await ask(`${path('gateways', gateway)}/try`, { body: { method: 'tools/list', ...at, cursor } });
    const { answer } = tried;
    if (!Array.isArray(answer?.result?.tools)) throw new Error(failureOf(tried));
    tools.push(...answer.result.tools);
    cursor = answer.result.nextCursor;
    if (typeof cursor !== 'string') return { tools, isWhole: true };
  }
  return { tools, isWhole: false };
}

function failureOf({ status, answer, text }) {
  return answer?.error ? `${answer.error.message} (HTTP ${status})` : `HTTP ${status}: ${text || 'no answer of MCP'}`;
}

/** @param {{ gateway: string, tool?: string }} wish */
export function openTry({ gateway, tool }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('try'));
  const authorization = /** @type {HTMLInputElement} */ (
    h('input', { type: 'password', autocomplete: 'off', spellcheck: 'false', placeholder: 'Bearer …' })
  );
  const endpoint = select([['', 'the first one']]);
  const chosen = select(tool === undefined ? [] : [tool], { required: true });
  const form = h('div.fields');
  const told = h('div', { role: 'status', 'aria-live': 'polite' });
  const call = /** @type {HTMLButtonElement} */ (h('button.main', { type: 'submit' }, 'Call'));
  /** @type {Map<string, any>} */
  let known = new Map();
  let read = () => ({});

  const at = () => ({
    ...(endpoint.value !== '' && { endpoint: endpoint.value }),
    ...(authorization.value.trim() !== '' && { authorization: authorization.value.trim() }),
  });
  const showForm = () => {
    const definition = known.get(chosen.value);
    const made = formOf(definition?.inputSchema ?? {});
    read = made.read;
    form.replaceChildren(
      ...(definition?.description ? [h('p.quiet.whole', {}, definition.description)] : []),
      ...made.fields,
    );
  };
  const load = async () => {
    told.replaceChildren(h('p.quiet', {}, 'Asking the gateway for its tools …'));
    try {
      const { tools } = await toolsOf(gateway, at());
      known = new Map(tools.map((each) => [each.name, each]));
      const wanted = chosen.value;
      chosen.replaceChildren(...tools.map(({ name }) => h('option', { value: name }, name)));
      if (known.has(wanted)) chosen.value = wanted;
      told.replaceChildren(
        ...(wanted !== '' && !known.has(wanted)
          ? [note('warn', `${wanted} is not among its tools for this caller.`)]
          : []),
      );
      call.disabled = tools.length === 0;
      showForm();
    } catch (error) {
      told.replaceChildren(note('bad', error.message));
      call.disabled = true;
    }
  };
  const submit = async (event) => {
    event.preventDefault();
    call.disabled = true;
    told.replaceChildren(h('p.quiet', {}, 'Calling …'));
    try {
      const body = { method: 'tools/call', ...at(), tool: chosen.value, arguments: read() };
      told.replaceChildren(...resultOf(await ask(`${path('gateways', gateway)}/try`, { body })));
    } catch (error) {
      told.replaceChildren(note('bad', error.message));
    }
    call.disabled = false;
  };

  dialog.replaceChildren(
    h('h2', { id: 'try-title' }, `Try a tool of ${gateway}`),
    h(
      'p.quiet',
      {},
      'One call as a client makes it, through the gateway: its rules and its credentials apply, and what the tool does is done.',
    ),
    h(
      'form',
      { submit },
      h(
        'div.fields',
        {},
        field('Tool', chosen),
        field('Envoy', endpoint),
        field('Authorization', authorization, 'for the gateway, where it asks for one; kept nowhere'),
      ),
      form,
      h(
        'div.row',
        {},
        call,
        h('button', { type: 'button', click: () => void load() }, 'List the tools again'),
        h('button', { type: 'button', click: () => dialog.close() }, 'Close'),
      ),
    ),
    told,
  );
  chosen.addEventListener('change', showForm);
  authorization.addEventListener('change', () => void load());
  dialog.showModal();
  chosen.focus();
  void load();
  ask(`${path('gateways', gateway)}/endpoints`).then(
    ({ endpoints }) => endpoint.replaceChildren(...endpoints.map(({ url }) => h('option', { value: url }, url))),
    () => undefined,
  );
}

/** What came of a call, as people read it. */
function resultOf(tried) {
  const { status, milliseconds, answer } = tried;
  const result = answer?.result;
  const failed = result === undefined || result.isError === true;
  tell(failed ? 'The call failed.' : 'The call succeeded.');
  const head = h(
    'p.row',
    {},
    failed ? badge('failed', 'bad') : badge('succeeded', 'good'),
    h('span.quiet', {}, `HTTP ${status}, ${milliseconds} ms`),
  );
  const blocks = Array.isArray(result?.content) ? result.content : [];
  const texts = blocks.filter(({ type, text }) => type === 'text' && typeof text === 'string');
  const whole = JSON.stringify(answer, undefined, 2) ?? String(tried.text ?? '');
  return [
    head,
    result === undefined && note('bad', failureOf(tried)),
    ...texts.map(({ text }) => h('pre.wrap', { tabindex: 0 }, text)),
    h('details', {}, h('summary', {}, 'The whole answer'), h('pre.wrap', { tabindex: 0 }, whole)),
  ].filter(Boolean);
}

/**
 * Fields for the arguments of a tool: one for each member that is a text, a number, a truth or one of a list; JSON for
 * what is made of parts.
 * @param {any} schema JSON Schema of an object
 */
function formOf(schema) {
  const members = Object.entries(schema.properties ?? {});
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const controls = members.map(([name, member]) => ({ name, ...controlOf(member ?? {}, required.has(name)) }));
  const others = schema.additionalProperties !== false && members.length === 0 ? jsonControl(false) : undefined;
  const label = (name) => (required.has(name) ? `${name} (required)` : name);
  return {
    fields: [
      ...controls.map(({ name, control, hint }) => field(label(name), control, hint)),
      ...(others ? [field('Arguments', others.control, 'a JSON object, or nothing')] : []),
    ],
    read: () => {
      const given = others?.read() ?? {};
      for (const { name, read } of controls) {
        const value = readNamed(name, read);
        // As its own member, whatever its name.
        if (value !== undefined) Object.defineProperty(given, name, { value, enumerable: true });
      }
      return given;
    },
  };
}

function readNamed(name, read) {
  try {
    return read();
  } catch (error) {
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}

function controlOf(member, required) {
  const hint = typeof member.description === 'string' ? member.description : undefined;
  if (Array.isArray(member.enum)) {
    const control = select(
      [['', required ? 'choose' : 'none'], ...member.enum.map((each, index) => [String(index), String(each)])],
      { required },
    );
    const index = member.enum.indexOf(member.default);
    if (index >= 0) control.value = String(index);
    return { control, hint, read: () => (control.value === '' ? undefined : member.enum[Number(control.value)]) };
  }
  if (member.type === 'boolean') {
    const control = select([['', required ? 'choose' : 'none'], 'true', 'false'], { required });
    if (typeof member.default === 'boolean') control.value = String(member.default);
    return { control, hint, read: () => (control.value === '' ? undefined : control.value === 'true') };
  }
  const isNumber = member.type === 'number' || member.type === 'integer';
  if (!isNumber && member.type !== 'string') return { ...jsonControl(required, member.default), hint: hint ?? 'JSON' };
  const control = /** @type {HTMLInputElement} */ (
    h('input', {
      type: isNumber ? 'number' : 'text',
      step: member.type === 'integer' ? 1 : 'any',
      required,
      spellcheck: 'false',
    })
  );
  if (typeof member.default === 'string' || typeof member.default === 'number') control.value = String(member.default);
  return {
    control,
    hint,
    read: () => (control.value === '' && !required ? undefined : isNumber ? Number(control.value) : control.value),
  };
}

function jsonControl(required, preset) {
  const control = /** @type {HTMLTextAreaElement} */ (h('textarea.mono', { required, spellcheck: 'false', rows: 3 }));
  if (preset !== undefined) control.value = JSON.stringify(preset);
  return { control, read: () => (control.value.trim() === '' ? undefined : JSON.parse(control.value)) };
}
