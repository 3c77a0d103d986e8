/** Lines that the browser keeps of a log. */
const mostLines = 5_000;

/**
 * What makes a page live: it asks for its changing part again, counts times, follows the log and lets buttons
 * work. Text of a log enters the page as text alone. While nobody looks at the page, it is quiet.
 */
export const browserLive = String.raw`
(() => {
  const word = document.getElementById('word');
  const page = () => document.getElementById('main');
  let ahead = 0;
  let timer = 0;
  let failures = 0;
  let log = null;

  // Times

  function tick() {
    const now = Date.now() + ahead;
    for (const time of document.querySelectorAll('time[data-since]')) time.textContent = duration((now - time.dataset.since) / 1000);
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const at = Number(time.dataset.ago);
      const text = at > now + 1000 ? new Date(at).toLocaleTimeString() : ago(now - at);
      if (time.textContent !== text) time.textContent = text;
      if (!time.title) time.title = new Date(at).toLocaleString();
    }
  }

  // The part that changes

  /** Makes the old node what the new one is and touches nothing else: focus, selection and what was opened stay. */
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || '') !== (fresh.id || '')) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.dataset.own !== undefined) {
      // A log that is followed to its end stays, and another one takes its place only then.
      if (old.dataset.own !== fresh.dataset.own && !(log && !log.over)) old.replaceWith(fresh);
      return;
    }
    const same = old.dataset.since === fresh.dataset.since && old.dataset.ago === fresh.dataset.ago;
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== 'open' && name !== 'title') old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value && !(name === 'hidden' && old.dataset.post)) old.setAttribute(name, value);
    }
    if (same && old.nodeName === 'TIME') return;
    const rest = [...old.childNodes];
    const next = [...fresh.childNodes];
    next.forEach((node, at) => (at < rest.length ? morph(rest[at], node) : old.append(node)));
    rest.slice(next.length).forEach((node) => node.remove());
  }

  async function look() {
    clearTimeout(timer);
    const poll = Number(page().dataset.poll);
    if (!poll || document.hidden) return;
    const began = performance.now();
    try {
      const url = new URL(location.href);
      url.searchParams.set('part', 'main');
      if (log) url.searchParams.set('log', log.own);
      const response = await fetch(url, { headers: { accept: 'text/html' } });
      if (response.status >= 500 || response.status === 401) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('main');
      if (!fresh) throw new Error('no page');
      const focused = document.activeElement && document.activeElement.getAttribute('href');
      morph(page(), fresh);
      // The link that had the focus may stand in another row now.
      const link = focused && document.activeElement === document.body && [...document.links].find((link) => link.getAttribute('href') === focused);
      if (link) link.focus({ preventScroll: true });
      failures = 0;
      say('');
      shown();
    } catch (error) {
      failures += 1;
      say(error.message === '401' ? 'The token is no longer valid: open the address that the server prints.' : 'The server does not answer; trying again…');
    }
    // A large run must not keep the server busy with its page.
    const pause = Math.max(poll, 10 * (performance.now() - began)) * 2 ** Math.min(failures, 3);
    // Another look may have been asked for meanwhile; one of them goes on.
    clearTimeout(timer);
    timer = setTimeout(look, pause);
  }

  function shown() {
    document.title = page().dataset.title;
    ahead = Number(page().dataset.now) - Date.now();
    for (const button of document.querySelectorAll('button[data-post]')) button.hidden = false;
    tick();
    follow();
  }

  function say(text) {
    if (word.textContent !== text) word.textContent = text;
  }

  // The log

  /** Goes on where the log that the page came with ends. A line whose newline is still to come is continued. */
  function follow() {
    const section = document.getElementById('log');
    if (!section || section.dataset.own === 'none' || (log && log.section === section)) return;
    const list = section.querySelector('.lines');
    if (!list) return;
    if (log) close();
    log = { section, list, own: section.dataset.own, offset: Number(section.dataset.offset), waiting: new Map(), over: false, source: null };
    for (const line of list.querySelectorAll('[data-open]')) {
      log.waiting.set(Number(line.dataset.open), { line, text: line.textContent, decoder: new TextDecoder() });
    }
    open();
  }

  function open() {
    if (!log || log.over || log.source || document.hidden) return;
    const current = log;
    const source = new EventSource(log.section.dataset.events + '?offset=' + log.offset);
    current.source = source;
    mark(true);
    source.addEventListener('log', (event) => receive(current, JSON.parse(event.data)));
    source.addEventListener('end', () => {
      current.over = true;
      const note = current.list.querySelector('.cut');
      if (note && current.list.childElementCount === 1) note.textContent = 'Nothing was said.';
      close();
      mark(false);
      look();
    });
  }

  function close() {
    if (log && log.source) log.source.close();
    if (log) log.source = null;
  }

  function mark(live) {
    const sign = log.section.querySelector('.live');
    if (sign) sign.hidden = !live;
  }

  function receive(to, { offset, bytes, lines, skipped }) {
    const content = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
    const added = document.createDocumentFragment();
    let from = -skipped;
    for (const [stream, at, length] of lines) {
      const piece = content.subarray(Math.max(0, from), Math.max(0, from + length));
      from += length;
      if (piece.length > 0) append(to, added, stream, at, piece);
    }
    // That nothing was said is no longer true.
    if (to.list.childElementCount === 1 && to.list.firstElementChild.matches('.cut')) to.list.replaceChildren();
    to.list.append(added);
    to.offset = offset + content.length;
    let left = to.list.childElementCount - ${mostLines};
    if (left > 0) {
      for (; left > -1; left -= 1) to.list.firstElementChild.remove();
      const note = document.createElement('p');
      note.className = 'cut';
      note.textContent = 'Earlier lines stand in the whole log.';
      to.list.prepend(note);
    }
  }

  function append(to, added, stream, at, piece) {
    let waiting = to.waiting.get(stream);
    if (!waiting) {
      const line = document.createElement('span');
      line.className = ['ame', '', 'err'][stream] || '';
      line.dataset.at = elapsed(at - Number(to.section.dataset.began));
      added.append(line);
      waiting = { line, text: '', decoder: new TextDecoder() };
      to.waiting.set(stream, waiting);
    }
    waiting.text += waiting.decoder.decode(piece, { stream: true });
    // A line without an end must not grow for ever.
    if (waiting.text.length > 262144) waiting.text = waiting.text.slice(-65536);
    waiting.line.textContent = logText(waiting.text);
    if (piece[piece.length - 1] === 10) to.waiting.delete(stream);
  }

  // Buttons

  document.addEventListener('click', async (event) => {
    const button = event.target.closest('button[data-post]');
    if (!button || (button.dataset.ask && !confirm(button.dataset.ask))) return;
    button.disabled = true;
    try {
      const response = await fetch(button.dataset.post, { method: 'POST' });
      const body = await response.json();
      if (!response.ok) say(body.error.message);
      else if (button.dataset.open) location.assign(button.dataset.open + body.id);
      else look();
    } catch {
      say('The server does not answer.');
    }
    button.disabled = false;
  });

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else {
      look();
      open();
    }
  });

  setInterval(tick, 1000);
  shown();
  timer = setTimeout(look, Number(page().dataset.poll) || 0);
})();
`;
