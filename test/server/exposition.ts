/** One family of Prometheus' text form, as a strict reader takes it. */
export type Family = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly Sample[];
};

export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/**
 * Reads the text form (https://prometheus.io/docs/instrumenting/exposition_formats) and throws at whatever a collector
 * or its linter would complain about: a family that is not introduced, is said twice or in two places, samples that are
 * there twice, labels out of form, names against the conventions, histograms that do not add up.
 */
export function readExposition(text: string): readonly Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families: (Family & { samples: Sample[] })[] = [];
  const introduced = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '') continue;
    if (line.startsWith('# HELP ')) {
      const [, name = '', help = ''] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
      if (!namePattern.test(name) || introduced.has(name)) throw new Error(`a HELP that is none: ${line}`);
      introduced.set(name, help);
    } else if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
      const help = introduced.get(name);
      if (help === undefined || families.some((each) => each.name === name))
        throw new Error(`a TYPE out of place: ${line}`);
      families.push({ name, help, type: type as Family['type'], samples: [] });
    } else if (line.startsWith('#')) {
      throw new Error(`a comment: ${line}`);
    } else {
      const sample = readSample(line);
      const family = families.at(-1);
      if (!family || !belongs(sample.name, family)) throw new Error(`a sample without its family: ${line}`);
      const key = `${sample.name} ${JSON.stringify(sorted(sample.labels))}`;
      if (seen.has(key)) throw new Error(`there twice: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  for (const family of families) check(family);
  return families;
}

function readSample(line: string): Sample {
  const [, name = '', inBraces, number = ''] =
    /^([^\s{]+)(?:\{(.*)\})? (NaN|[+-]?(?:Inf|[\d.]+(?:e[+-]?\d+)?))$/.exec(line) ?? [];
  if (!namePattern.test(name)) throw new Error(`no sample: ${line}`);
  return { name, labels: readLabels(inBraces ?? '', line), value: Number(number.replace('Inf', 'Infinity')) };
}

function readLabels(text: string, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (let at = 0; at < text.length; at = labelPattern.lastIndex) {
    labelPattern.lastIndex = at;
    const [, name = '', value = ''] = labelPattern.exec(text) ?? [];
    if (name === '' || name.startsWith('__') || name in labels)
      throw new Error(`labels out of form: ${line}`);
    labels[name] = value.replaceAll(/\\(["\\n])/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
  }
  return labels;
}

/** Labels in an order that does not depend on how they were written. */
function sorted(labels: Sample['labels']): readonly (readonly [name: string, value: string])[] {
  return Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
}

function belongs(sample: string, { name, type }: Family): boolean {
  if (type !== 'histogram') return sample === name;
  return ['_bucket', '_sum', '_count'].some((end) => sample === name + end);
}

/** The conventions of names (https://prometheus.io/docs/practices/naming), and that a histogram adds up. */
function check({ name, type, samples }: Family): void {
  if (!/^(ame|process)_[a-z][a-z_]*[a-z]$/.test(name)) throw new Error(`an odd name: ${name}`);
  if (name.endsWith('_total') !== (type === 'counter')) throw new Error(`_total is for counters: ${name}`);
  if (/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/.test(name)) throw new Error(`no base unit: ${name}`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0)))
    throw new Error(`less than none: ${name}`);
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _le, ...rest } }) => JSON.stringify(sorted(rest)));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    const rises = (numbers: readonly number[]): boolean =>
      numbers.every((number, at) => at === 0 || number >= (numbers[at - 1] ?? 0));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const sums = group.filter((sample) => sample.name === `${name}_sum`).length;
    const whole = bounds.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count && sums === 1;
    if (!whole || !rises(bounds) || new Set(bounds).size !== bounds.length || !rises(counts))
      throw new Error(`a histogram that does not add up: ${name}`);
  }
}
