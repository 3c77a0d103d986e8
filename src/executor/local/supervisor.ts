/** $0 of the supervisor and of its watcher, by which the watcher is told apart in lists of processes. */
export const supervisorName = 'ame-supervisor';

/**
 * What runs between the server and the user's command. $1: seconds between TERM and KILL, $2: the mark in the
 * environment of everything that the attempt starts, $3: `-c` or `file`, $4: the script or its file.
 *
 * - It waits for a word on descriptor 3, its leash to the server: the process is written down before it runs.
 * - A watcher is left behind that reads the leash. The leash ends when the server does, also by SIGKILL (a
 *   detached child of a killed Node process lives on otherwise, measured), and the watcher then ends the group
 *   and, where /proc shows environments, what has left the group. It is forked twice, so that the user's
 *   shell, which takes this shell's place, is not its parent, and it holds no output open.
 * - The command runs in the foreground, where no signal is ignored: a background job has SIGINT ignored for good.
 * - `read </proc/self/stat` is how POSIX sh learns its own process id in a subshell. `kill -TERM 0` and a
 *   single positive id are the forms that dash, bash and busybox all understand.
 */
export const supervisorScript = `
read -r word <&3 || exit 125
( trap '' TERM INT HUP QUIT
  ( exec >/dev/null 2>&1
    PATH=/usr/bin:/bin
    read -r word <&3
    each() {
      read -r self rest </proc/self/stat || return
      for file in $(grep -laF "AME_MARK=$2" /proc/[0-9]*/environ); do
        id=\${file#/proc/}
        id=\${id%/environ}
        [ "$id" = "$self" ] || kill "$1" "$id"
      done
    }
    kill -TERM 0
    each -TERM "$2"
    sleep "$1"
    each -KILL "$2"
    kill -KILL 0
  ) & )
if [ "$3" = file ]; then exec /bin/sh -e "$4" 3<&-; fi
exec /bin/sh -e -c -- "$4" 3<&-
`;
