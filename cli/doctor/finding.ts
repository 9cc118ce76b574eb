import { redactText } from './redact.ts';
import { type SymptomId, symptoms } from './symptoms.ts';

/** `unjudged`: it could not be looked at, and what was found says why. A `warning` may be as it should be. */
export type State = 'ok' | 'warning' | 'problem' | 'unjudged';

export interface Finding {
  readonly symptom: SymptomId;
  readonly state: State;
  readonly title: string;
  /** The request that showed it, without credentials. */
  readonly sent?: string;
  /** What came, or why nothing could be said. */
  readonly found: string;
  /** Where it is a problem. */
  readonly cause?: string;
  readonly nextStep?: string;
}

/** What a problem has of its own: where rules of `sluice check` are the source. */
type Texts = Partial<Pick<Finding, 'title' | 'cause' | 'nextStep'>>;

/** Collects what probes find. */
export class Findings {
  readonly #all: Finding[] = [];
  readonly #tell: (finding: Finding) => void;
  readonly #known: readonly string[];

  /** @param known secrets that are sent, which an answer may repeat */
  constructor(tell: (finding: Finding) => void, known: readonly string[]) {
    this.#tell = tell;
    this.#known = known;
  }

  get all(): readonly Finding[] {
    return this.#all;
  }

  has(symptom: SymptomId, state?: State): boolean {
    return this.#all.some((each) => each.symptom === symptom && (state === undefined || each.state === state));
  }

  ok(symptom: SymptomId, found: string, sent?: string): void {
    this.#add(symptom, 'ok', found, sent);
  }

  problem(symptom: SymptomId, found: string, sent?: string): void {
    this.add(symptom, 'problem', found, sent);
  }

  warning(symptom: SymptomId, found: string, sent?: string): void {
    this.add(symptom, 'warning', found, sent);
  }

  /** @param texts in the place of the symptom's own */
  add(symptom: SymptomId, state: 'warning' | 'problem', found: string, sent?: string, texts: Texts = {}): void {
    const { cause, nextStep } = symptoms[symptom];
    this.#add(symptom, state, found, sent, { cause, nextStep, ...texts });
  }

  /** Says of each of these that nobody has judged why not. */
  unjudged(ids: Iterable<SymptomId>, why: string): void {
    for (const id of ids) if (!this.has(id)) this.#add(id, 'unjudged', why);
  }

  #add(symptom: SymptomId, state: State, found: string, sent?: string, texts: Texts = {}): void {
    const { title } = symptoms[symptom];
    const finding = {
      symptom,
      state,
      title,
      ...(sent !== undefined && { sent }),
      found: printable(redactText(found, this.#known)),
      ...texts,
    };
    this.#all.push(finding);
    this.#tell(finding);
  }
}

/** Characters of what is told of an answer. */
const mostCharacters = 400;

/** In one line; a server writes no escape sequences to a terminal. */
function printable(text: string): string {
  const line = text
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line;
}
