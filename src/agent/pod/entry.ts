import { podPlaces } from './places.ts';

/** $0 of the entry. */
export const entryName = 'ame-entry';

/**
 * What runs as process 1 of the user's container: `sh -c <this> ame-entry`. $1 to $4, all left out in a pod, are the
 * directory of the pipes, the workspace, for how many seconds it stays without a word once the pod is deleted, and
 * the file of its last word.
 * Of the image it needs a POSIX `sh` alone; `sleep` is used where there is one. Whoever writes it into a pod doubles
 * every `$`, which Kubernetes reads as its own.
 *
 * Four named pipes, made by the agent, lie on a volume that this container can only read, yet pipes on it can be
 * written: `out` and `err`, `ctl` with words of the agent (`go`, `term`, `kill`, `stat`, `close`, `ask <n>`, `bye`)
 * and `rep` with ours (`ready`, `started`, `stat <use>`, `exit <code> <n> <use>`). They are held open for reading too,
 * so that nothing is lost and nothing fails while the agent is away.
 *
 * - The command runs in the foreground: in the background dash and busybox have SIGINT ignored for good.
 * - Words are read by a watcher while the command runs. `kill -TERM -1` reaches all but process 1 and the watcher,
 *   whatever session it is in, and is the one form that dash, busybox and bash understand. Who is asked to end is
 *   asked once: a second TERM would interrupt the clean-up that the first one began.
 * - When the command has ended everything that it left behind is killed. A reader that dies may still swallow a byte
 *   of the next word, so the watcher is waited for; and the agent says its words again until they are answered.
 * - `out` and `err` are closed when the agent says `close`: what is in a pipe that nobody holds open is lost. They are
 *   opened once more before that, so that an agent which came back after the first `close` sees an end as well.
 * - The number after `ask` comes back with the exit code: an answer that names it was written when no process of the
 *   user's was left to forge it.
 * - It lingers until `bye`: Kubernetes restarts an agent that crashed only as long as this container runs.
 */
export const entryScript = `
io=\${1:-${podPlaces.io}} dir=\${2:-${podPlaces.workspace}} stay=\${3:-60}
last=\${4:-${podPlaces.lastWord}} gone= code= use=
[ $$ = 1 ] || { echo "ame: not-alone: the entry is not process 1 (a shared process namespace?)" >&2; exit 125; }
until [ -p "$io/rep" ]; do sleep 0.05 2>/dev/null || sleep 1; done
exec 3<>"$io/out" 4<>"$io/err" 5<>"$io/rep" 6<>"$io/ctl"
trap 'exit 143' TERM
echo ready >&5
while read -r w n <&6; do
  case $w in go) break;; bye) exit 125;; term|kill) exit 143;; ?*) echo ready >&5;; esac
done
usage() {
  a= m= c= o= k= v=
  for f in /sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes; do
    [ -r $f ] && read -r m <$f && break
  done
  for f in /sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat; do
    [ -r $f ] && while read -r k v; do case $k in anon|total_rss) a=$v;; esac; done <$f
  done
  for f in /sys/fs/cgroup/cpuacct/cpuacct.usage /sys/fs/cgroup/cpu,cpuacct/cpuacct.usage; do
    [ -r $f ] && read -r c <$f && break
  done
  [ -r /sys/fs/cgroup/cpu.stat ] && while read -r k v; do
    [ $k = usage_usec ] && c=\${v}000
  done </sys/fs/cgroup/cpu.stat
  for f in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    [ -r $f ] && while read -r k v; do [ $k = oom_kill ] && o=$v; done <$f
  done
  use="anon=$a peak=$m cpu=$c oom=$o"
}
leave() { ( sleep "$stay" && echo bye >&6 ) 3>&- 4>&- 5>&- >/dev/null 2>&1 & }
trap 'gone=1; case $code in ?*) leave;; esac' TERM
( trap '' TERM INT HUP QUIT
  asked=
  while read -r w n <&6; do
    case $w in
      go) echo started >&5;;
      term) case $asked in '') asked=1; kill -TERM -1;; esac;;
      kill) kill -KILL -1;;
      stat) usage; echo "stat $use" >&5;;
    esac
  done ) 3>&- 4>&- 2>/dev/null &
watcher=$!
case $PATH in ?*) command -v python >/dev/null 2>&1 || ! command -v python3 >/dev/null 2>&1 || PATH=$io/bin:$PATH;; esac
if cd "$dir" 2>&4; then
  echo started >&5
  sh -e "$io/script" </dev/null >&3 2>&4 3>&- 4>&- 5>&- 6>&-
  code=$?
else
  code=125
fi
kill -KILL -1 2>/dev/null
wait $watcher 2>/dev/null
usage
echo "exit=$code $use" >$last
case $gone in ?*) leave;; esac
echo "exit $code - $use" >&5
while :; do
  read -r w n <&6 || w=
  case $w in
    bye) break;;
    close) exec 3<>"$io/out" 4<>"$io/err"; exec 3>&- 4>&-;;
    ?*) echo "exit $code \${n:--} $use" >&5;;
  esac
done
exit $code
`;

/**
 * The preStop hook of the user's container, `sh -c <this>`: TERM, so many seconds, KILL, also where the agent is gone.
 * Both go through the entry, which knows whether somebody has asked before. Where there is no `sleep` the agent alone
 * ends what does not end by itself. The agent's own hook may come later than this one, and is announced before TERM.
 */
export function endTaskScript(graceSeconds: number, io: string = podPlaces.io): string {
  return `trap '' TERM; [ -p ${io}/rep ] || exit 0; echo taken >${io}/rep; echo term >${io}/ctl; sleep ${graceSeconds} && echo kill >${io}/ctl; exit 0`;
}

/** The preStop hook of the agent's container, `sh -c <this>`. */
export const takeAwayScript = `: >${podPlaces.taken}`;
