import { escapeSequences, longestLine } from './log-text.ts';

/**
 * Functions for the browser that say things as the server does: `logText`, `elapsed` and `duration` answer as
 * their namesakes here, and a test holds them to it.
 */
export const browserText = String.raw`
'use strict';
const escapes = new RegExp(${JSON.stringify(escapeSequences.source)}, 'g');
const unsafe = /(?!\t|\n|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/gu;

function visible(text) {
  return text.replace(/\r\n/g, '\n').replace(unsafe, (character) => {
    const code = character.codePointAt(0).toString(16);
    return code.length <= 2 ? '\\x' + code.padStart(2, '0') : '\\u{' + code + '}';
  });
}

function logText(line) {
  const plain = line.replace(escapes, '');
  let end = plain.length;
  while (end > 0 && (plain[end - 1] === '\r' || plain[end - 1] === '\n')) end -= 1;
  const from = end === 0 ? 0 : plain.lastIndexOf('\r', end - 1) + 1;
  return visible(plain.slice(from, Math.min(end, from + ${longestLine})).toWellFormed());
}

function elapsed(milliseconds) {
  const whole = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? hours + ':' + two(minutes) + ':' + two(whole % 60) : minutes + ':' + two(whole % 60);
}

function duration(seconds) {
  const time = Math.max(0, seconds);
  if (time < 9.95) return time.toFixed(1) + ' s';
  const whole = Math.round(time);
  if (whole < 60) return whole + ' s';
  const pair = (large, largeName, small, smallName) => {
    const rest = Math.floor((whole % large) / small);
    const first = Math.floor(whole / large) + ' ' + largeName;
    return rest === 0 ? first : first + ' ' + rest + ' ' + smallName;
  };
  if (whole < 3600) return pair(60, 'min', 1, 's');
  if (whole < 86400) return pair(3600, 'h', 60, 'min');
  return pair(86400, 'd', 3600, 'h');
}

function ago(milliseconds) {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return Math.floor(seconds) + ' s ago';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min ago';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ago';
  return Math.floor(seconds / 86400) + ' d ago';
}
`;
