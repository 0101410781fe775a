"""The bare loop of spawn.c for machines without a C compiler: the same words, the same answer."""

from __future__ import annotations

import os
import resource
import sys
import time


def loop(count: str, limit: str, how: str, first: str, second: str) -> int:
    """Start processes, ``limit`` at a time, and print what spawn.c prints."""
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    running = 0
    began = time.time_ns()
    for job in range(int(count)):
        words = ["/bin/sh", "-c", f"{first}{job}{second}"]
        if how == "argv":
            words = [first, "stamp", second, str(job)]
        os.posix_spawn(words[0], words, os.environ, file_actions=files)
        running += 1
        while running and (pid_status := os.waitpid(-1, os.WNOHANG * (running != int(limit))))[0]:
            running -= 1
            if pid_status[1]:
                return 1
    for _ in range(running):
        if os.wait()[1]:
            return 1
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(began, *(int((usage.ru_utime + usage.ru_stime) * 1e9) for usage in spent))
    return 0


def tick(count: str, program: str, file: str) -> int:
    """Start a process in the middle of each of so many seconds."""
    second = int(time.time()) + 1.5
    for job in range(int(count)):
        while (left := second + job - time.time()) > 0:
            time.sleep(left)
        os.waitpid(os.posix_spawn(program, [program, "stamp", file, str(job)], os.environ), 0)
    return 0


if __name__ == "__main__":
    sys.exit({"loop": loop, "tick": tick}[sys.argv[1]](*sys.argv[2:]))
