import { shown } from '../problems/wording.ts';
import type { Node } from './node.ts';
import { readText } from './read.ts';
import type { Report } from './report.ts';

/** The image that is named here; a problem and `null` where a container runtime would refuse the name. */
export function checkImage(node: Node, report: Report): string | null {
  const text = readText(
    node,
    {
      what: '`image`',
      expected: 'the name of an image',
      write: 'Write `image: ghcr.io/acme/train:1.4`, for instance.',
    },
    report,
  );
  if (text === null) return null;
  const fault = imageFault(text.text);
  if (fault === null) return text.text;
  report('bad-image', text.at, { text: text.text, ...fault });
  return null;
}

function imageFault(text: string): { readonly why: string; readonly suggestion: string | null } | null {
  if (text.trim() === '') return { why: 'it is empty', suggestion: null };
  if (text.length > 512) return { why: 'it is longer than 512 characters', suggestion: null };
  if (/\s/u.test(text)) return { why: 'it contains a space', suggestion: null };
  const scheme = /^[a-z]+:\/\//u.exec(text)?.[0];
  if (scheme !== undefined)
    return { why: `images are named without ${scheme}`, suggestion: text.slice(scheme.length) };
  const [, name = '', tag, digest] = /^(.*?)(?::([^/:@]*))?(?:@(.*))?$/su.exec(text) ?? [];
  const [host = '', ...rest] = name.split('/');
  // The first part is a registry if it looks like a host; only there are a port and capital letters allowed.
  const isHost = rest.length > 0 && (/[.:]/u.test(host) || host === 'localhost');
  const path = isHost ? rest.join('/') : name;
  if (path !== path.toLowerCase()) {
    const lower = isHost ? `${host}/${path.toLowerCase()}` : path.toLowerCase();
    return { why: 'names of images are in lower case', suggestion: lower + text.slice(name.length) };
  }
  if (isHost && !/^[a-zA-Z0-9.-]+(?::\d{1,5})?$/u.test(host))
    return { why: `${shown(host)} is no registry`, suggestion: null };
  if (!path.split('/').every((part) => /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/u.test(part))) {
    return {
      why: 'its parts are lower-case letters and digits with single dots, underscores or hyphens between',
      suggestion: null,
    };
  }
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/u.test(tag))
    return { why: 'its tag is empty or has wrong characters', suggestion: null };
  if (digest !== undefined && !/^[a-z0-9]+:[0-9a-f]{32,}$/u.test(digest))
    return { why: 'its digest is not like `sha256:` and 64 hexadecimal digits', suggestion: null };
  return null;
}
