import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markdownBlock, markdownCode, markdownLine, plainLine, visibleText } from '../../src/core/escape.ts';

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...Array.from('<>&`*_[]()!#@|\\~$:.-+=^{}"\'/ \n\r\t\u001b\u009b\u202e\u2066\u200b\u2028\ufeff\u0000'),
    ),
    fc.constantFrom('http', 'www.', 'GH-1', '#1', '@a', 'a', '1', '```', '~~~', '\ud800', '😀', 'é'),
  ),
});

/** Undoes character references, as a renderer would. */
function render(markdown: string): string {
  return markdown
    .replaceAll(/<\/?(?:code|span)>/g, '')
    .replaceAll(/&#(\d+);/g, (_reference, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('\u200b', '');
}

describe('visibleText', () => {
  test.each([
    ['plain text\n\twith tab', 'plain text\n\twith tab'],
    ['a\r\nb', 'a\nb'],
    ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
    ['\u009b2J', '\\x9b2J'],
    ['abc\u202etxt.exe', 'abc\\u{202e}txt.exe'],
    ['a\u200bb\ufeff\u2028', 'a\\u{200b}b\\u{feff}\\u{2028}'],
    ['\u{e0041}', '\\u{e0041}'],
    ['a\ud800b', 'a\ufffdb'],
    ['👩‍🔬 ❤️ é שלום', '👩‍🔬 ❤️ é שלום'],
  ])('%j', (text, wanted) => {
    expect(visibleText(text)).toBe(wanted);
  });

  test('leaves nothing that acts, and saying it twice changes nothing', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = visibleText(text);
        expect(shown).not.toMatch(/(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Cs}]/u);
        expect(visibleText(shown)).toBe(shown);
        expect(plainLine(text)).not.toMatch(/[\n\t]|^\s|\s$/);
      }),
    );
  });
});

describe('markdownLine', () => {
  test.each([
    ['The task `train_model` failed.', 'The task <code>train&#95;model</code> failed&#46;'],
    ['one ` only', 'one &#96; only'],
    ['<img src=x>', '&#60;img src&#61;x&#62;'],
    ['@octocat', '&#64;&#8203;octocat'],
    ['`@octocat`', '<code>&#64;octocat</code>'],
    ['fixes #12 and GH-7', 'fixes &#35;&#8203;12 and GH&#45;&#8203;7'],
    [
      'https://example.org www.example.org',
      'https&#58;&#8203;//example&#46;org www&#46;&#8203;example&#46;org',
    ],
    [':tada:', '&#58;&#8203;tada&#58;'],
    ['a | b', 'a &#124; b'],
    ['$x$', '<span>&#36;</span>x<span>&#36;</span>'],
    ['a\n\n# b', 'a &#35;&#8203; b'],
  ])('%j', (text, wanted) => {
    expect(markdownLine(text)).toBe(wanted);
  });

  test('has no markup but its own, one line, and shows what was said', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const markdown of [markdownLine(text), markdownCode(text)]) {
          const bare = markdown.replaceAll(/<\/?(?:code|span)>|&#\d+;/g, '');
          expect(bare).not.toMatch(/[\\`*_{}[\]()#+\-.!|~<>&$=^:@\n\r]/);
        }
        const said = plainLine(text);
        expect(render(markdownCode(text))).toBe(said);
        // Backticks in pairs become code.
        expect(render(markdownLine(text)).replaceAll('`', '')).toBe(said.replaceAll('`', ''));
      }),
    );
  });

  test('outside code nothing is left that a host links', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const prose = markdownLine(text.replaceAll('`', "'"));
        const rendered = prose
          .replaceAll(/<\/?span>/g, '\u2063')
          .replaceAll(/&#(\d+);/g, (_reference, code: string) => String.fromCodePoint(Number(code)));
        expect(rendered).not.toMatch(/@\w|#\d|\bgh-\d|:\/\/|\bwww\.\w|:\w+:|\$[^\u2063]/i);
      }),
    );
  });
});

describe('markdownBlock', () => {
  test('a fence longer than any inside', () => {
    expect(markdownBlock('a\n````\nb')).toBe('`````\na\n````\nb\n`````');
    expect(markdownBlock('x\n', 'yaml')).toBe('```yaml\nx\n```');
    expect(markdownBlock('')).toBe('```\n\n```');
  });

  test('whatever it contains, only its own fences can close it', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const lines = markdownBlock(text).split('\n');
        const fence = lines[0] ?? '';
        expect(fence).toMatch(/^`{3,}$/);
        expect(lines.filter((line) => line.includes(fence))).toEqual([fence, fence]);
        expect(lines.at(-1)).toBe(fence);
      }),
    );
  });
});
