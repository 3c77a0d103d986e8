/** The look of the pages, in light and dark, on narrow and wide screens. Nothing is loaded from anywhere. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f7f7f5; --sheet: #ffffff; --ink: #1d1f23; --soft: #61656d; --rule: #e3e3df; --shade: #f1f1ee;
  --link: #2f52c4; --good: #1a7a48; --bad: #bf342b; --busy: #2563c9; --mild: #8a5f00; --log: #fbfbf9;
  --mono: ui-monospace, 'SF Mono', SFMono-Regular, Menlo, 'Cascadia Mono', Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121316; --sheet: #191b1f; --ink: #e4e6ea; --soft: #9aa0aa; --rule: #2b2e34; --shade: #212429;
    --link: #8fb0ff; --good: #56c78c; --bad: #ff8078; --busy: #74b0ff; --mild: #e0b04e; --log: #141619;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; max-width: 66rem; padding: 0 1.5rem 4rem; background: var(--ground); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; text-underline-offset: .18em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre, .log, .place { font-family: var(--mono); font-size: .88em; }
small { font-size: .86em; font-weight: 400; color: var(--soft); }
.muted { color: var(--soft); }
.hidden, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
nav { display: flex; justify-content: space-between; gap: 1rem; align-items: center; padding: 1rem 0; min-height: 3.5rem; }
.mark { font-weight: 700; letter-spacing: .06em; color: var(--ink); }
#word { color: var(--mild); font-size: .9em; }
h1 { margin: 0; font-size: 1.65rem; line-height: 1.25; letter-spacing: -.015em; font-weight: 650; }
h1 code { font-size: .92em; letter-spacing: 0; }
h2 { margin: 0 0 .6rem; font-size: 1.02rem; font-weight: 620; }
h3 { margin: 0 0 .4rem; font-size: 1em; font-weight: 550; }
h2 small, h3 small { margin-left: .35rem; }
p { margin: .35rem 0; }
.crumb { margin: 0 0 .15rem; font-size: .92em; }
header { margin: .5rem 0 1.4rem; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .9rem; }
.head .state { font-size: 1rem; font-weight: 550; }
.buttons { margin-left: auto; display: flex; gap: .5rem; }
button {
  font: inherit; font-size: .93em; padding: .3rem .95rem; color: var(--ink); background: var(--sheet);
  border: 1px solid var(--rule); border-radius: 7px; cursor: pointer;
}
button:hover { border-color: var(--soft); }
button:disabled { opacity: .5; cursor: default; }
.verdict { margin: .7rem 0 0; max-width: 60rem; }
.facts { display: flex; flex-wrap: wrap; gap: .8rem 2.2rem; margin: 1.1rem 0 0; }
.facts dt { font-size: .8em; color: var(--soft); }
.facts dd { margin: 0; }
section { margin: 0 0 1.4rem; padding: 1.05rem 1.25rem 1.15rem; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem .9rem .5rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { white-space: nowrap; padding-top: 0; border-top: 0; font-size: .8em; font-weight: 400; color: var(--soft); }
tbody th { font-weight: 550; }
.number { text-align: right; white-space: nowrap; }
.when, .action, .sha { white-space: nowrap; }
.action { text-align: right; }
p.sha { white-space: normal; }
.reason { margin: .1rem 0 0; font-size: .9em; font-weight: 400; color: var(--soft); }
.tries { margin: .2rem 0 0; padding: 0; list-style: none; font-size: .88em; font-weight: 400; color: var(--soft); }
.sign { width: 1em; height: 1em; margin-right: .42em; vertical-align: -.13em; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; fill: currentColor; stroke: var(--sheet); }
.open { fill: none; stroke: currentColor; stroke-width: 1.5; }
.own { stroke: currentColor; fill: none; }
.faint { opacity: .28; }
.dashed { stroke-dasharray: 2 2.4; }
.state { white-space: nowrap; color: var(--soft); }
.succeeded { color: var(--good); }
.failed, .sign.error { color: var(--bad); }
.running, .sign.notice { color: var(--busy); }
.cancelled, .sign.warning { color: var(--mild); }
.sign.skipped { color: var(--soft); }
.sign.running { animation: turn 1.6s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .sign.running { animation: none; } }
.tasks .wide { width: 38%; }
.runs .wide { min-width: 9.5rem; }
.runs .trigger { min-width: 0; white-space: nowrap; }
.prose { max-width: 46rem; }
.prose > p { margin: 0 0 1rem; }
.prose ol { margin: 0; padding-left: 1.3rem; }
.prose ol > li { padding: .25rem 0; }
.sheet { margin: 0 0 1.4rem; padding: 1.05rem 1.25rem 1.25rem; background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px; }
.sheet label { display: block; margin: .9rem 0 .25rem; font-weight: 550; }
.sheet > label:first-child { margin-top: 0; }
.sheet input:not([type=checkbox]) {
  width: 100%; padding: .45rem .7rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--rule); border-radius: 7px;
}
.sheet input:read-only { color: var(--soft); }
.choice { display: flex; gap: .55rem; align-items: baseline; margin: 1rem 0 0; }
.choice label { margin: 0; font-weight: 400; }
.hint { color: var(--soft); font-size: .93em; }
.sheet button { margin-top: 1.2rem; }
button.main, a.main { padding: .45rem 1.2rem; font-weight: 550; color: var(--sheet); background: var(--link); border-color: transparent; }
a.main { display: inline-block; padding: .15rem .9rem; border-radius: 7px; }
.needs th { white-space: nowrap; }
.fault { padding: .5rem .8rem; color: var(--bad); border: 1px solid; border-radius: 7px; }
.account + .account { margin-top: 1.1rem; }
.account table { table-layout: fixed; }
.account th:first-child { width: 44%; }
.account th:last-child { width: 24%; }
.timeline { display: block; width: 100%; height: 8px; margin: .48rem 0 .2rem; border-radius: 4px; background: var(--shade); }
.timeline rect { fill: var(--soft); }
.timeline .waited { opacity: .22; }
.timeline .prepared, .timeline .stored { opacity: .5; }
.timeline .ran { fill: var(--soft); }
.timeline .ran.succeeded { fill: var(--good); }
.timeline .ran.failed { fill: var(--bad); }
.timeline .ran.running { fill: var(--busy); }
.timeline .ran.cancelled { fill: var(--mild); }
.phases { display: block; font-size: .78em; }
[aria-current] { color: var(--soft); }
.problems, .decisions, .checks, .notices { margin: 0; padding: 0; list-style: none; }
.problems li, .decisions li, .checks li { padding: .45rem 0; border-top: 1px solid var(--rule); }
.problems li:first-child, .decisions li:first-child, .checks li:first-child { border-top: 0; padding-top: 0; }
.problems p, .decisions p, .checks p { margin: 0; }
.place { display: inline-block; min-width: 7.6rem; margin-right: .3rem; color: var(--soft); }
.remedy { padding-left: 1.42em; color: var(--soft); font-size: .93em; }
pre { margin: .45rem 0 .2rem; padding: .6rem .8rem; overflow-x: auto; background: var(--shade); border-radius: 6px; line-height: 1.5; overflow-wrap: normal; tab-size: 4; }
details { margin: .2rem 0 0 1.42em; }
summary { cursor: pointer; color: var(--soft); font-size: .9em; }
#log { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; }
#log > * { max-width: 100%; }
#log > .log, #log > .muted { flex: 0 0 100%; }
.legend { margin: 0 0 .6rem; font-size: .86em; color: var(--soft); }
.legend > * { margin-left: .9rem; }
.legend .err, .legend .ame { display: none; }
#log:has(.lines > .err) .legend .err, #log:has(.lines > .ame) .legend .ame { display: inline; }
.live { color: var(--busy); }
.log {
  display: flex; flex-direction: column-reverse; max-height: 34rem; overflow: auto; padding: .5rem 0;
  background: var(--log); border: 1px solid var(--rule); border-radius: 6px; line-height: 1.5; overscroll-behavior: contain;
}
.lines { tab-size: 8; font-size: .95em; }
.lines > span { display: block; white-space: pre-wrap; position: relative; min-height: 1.5em; padding: 0 .8rem 0 4.6rem; border-left: 3px solid transparent; }
.lines > span::before { content: attr(data-at); position: absolute; left: 0; width: 3.8rem; text-align: right; color: var(--soft); opacity: .85; }
.lines > .err { border-left-color: var(--bad); }
.legend .err { padding-left: .4rem; border-left: 3px solid var(--bad); }
.lines > .ame, .legend .ame { color: var(--mild); }
.cut { margin: 0; padding: 0 .8rem .2rem 4.6rem; color: var(--soft); font-style: italic; }
@media (max-width: 46rem) {
  body { padding: 0 1rem 3rem; }
  section { padding: .9rem 1rem; border-radius: 8px; }
  .wide { display: none; }
  .facts { gap: .7rem 1.5rem; }
  .legend > :first-child { margin-left: 0; }
  .lines > span, .cut { padding-left: .7rem; }
  .lines > span::before { content: none; }
  th, td { padding-right: .6rem; }
  .runs thead, .tasks thead { position: absolute; clip-path: inset(50%); }
  .runs tbody tr, .tasks tbody tr { display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: .5rem 0; border-top: 1px solid var(--rule); }
  .runs tbody tr:first-child, .tasks tbody tr:first-child { border-top: 0; padding-top: 0; }
  .runs tbody > tr > *, .tasks tbody > tr > * { padding: 0; border: 0; }
  .runs tbody th, .tasks tbody th { flex-basis: 100%; }
  .runs .number, .tasks .number { margin-left: auto; }
}
@media print { nav, .buttons { display: none; } .log { max-height: none; } body { background: none; } }
`;
