type VagueText = readonly [message: RegExp, what: string, write: string];

/** Words for what the parser says about text that has no code of its own: its message, what is wrong, what to write. */
export const vagueTexts: readonly VagueText[] = [
  [
    /block-seq-ind on same line/u,
    'A list cannot begin on the line of its key.',
    'Put each `- item` on a line of its own below the key, or write `[item]`. Text that begins with a hyphen needs quotes.',
  ],
  [
    /Not a YAML token/u,
    'Nothing can follow `|` or `>` on its line.',
    'Begin the text on the next line, indented deeper; or put quotes around it if the sign belongs to it.',
  ],
  [
    /Unexpected flow-(?:seq|map)-end/u,
    'This bracket closes nothing.',
    'Delete it, or put quotes around the text that it belongs to.',
  ],
  [/Unexpected ,/u, 'Nothing stands between two commas.', 'Delete one of them.'],
  [
    /Comments must be separated/u,
    'A `#` follows a value directly.',
    'Put a space before it if it begins a comment, or quotes around the text if it belongs to it.',
  ],
  [/Missing , /u, 'A comma is missing here.', 'Put a comma between the items.'],
  [
    /without - indicator/u,
    'An item of a list begins with a hyphen.',
    'Put `- ` before it, or indent the line to where it belongs.',
  ],
  [
    /1024 chars/u,
    'A key has more than 1,024 characters.',
    'Shorten it; if it is no key, put quotes around the text.',
  ],
];
