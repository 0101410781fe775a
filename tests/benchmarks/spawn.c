/*
 * What starting processes costs at the least; the benchmark compiles it when it runs.
 *
 *   spawn stamp FILE JOB
 *       The command of every job: appends one line "JOB SLOT NANOSECONDS" to FILE. SLOT is what
 *       flytesched tells its commands, 0 where nobody does; the time is CLOCK_REALTIME.
 *   spawn loop COUNT LIMIT argv PROGRAM FILE
 *   spawn loop COUNT LIMIT sh BEFORE AFTER
 *       The bare loop: starts COUNT processes with posix_spawn(3), LIMIT at a time (0: all), and
 *       waits for them. Job number J is "PROGRAM stamp FILE J", or "/bin/sh -c" with the text
 *       BEFORE J AFTER. Prints, in nanoseconds, the moment before the first start, and the CPU time
 *       of the loop and of what it started.
 *   spawn tick COUNT PROGRAM FILE
 *       Does so with one process in the middle of each of COUNT seconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void)
{
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    return moment.tv_sec * 1000000000LL + moment.tv_nsec;
}

static long long cpu(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

static int fail(const char *what)
{
    fprintf(stderr, "spawn: %s: %s\n", what, strerror(errno));
    return 1;
}

static int stamp(const char *file, const char *job)
{
    long long moment = now();
    const char *slot = getenv("FLYTESCHED_SCHEDULED_AT_EPOCH");
    char line[128];
    int size = snprintf(line, sizeof line, "%s %s %lld\n", job, slot ? slot : "0", moment);
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0 || write(fd, line, size) != size)
        return fail(file);
    return 0;
}

static int loop(int count, int limit, int argc, char **argv)
{
    int shell = strcmp(argv[0], "sh") == 0, running = 0, status;
    char number[16], text[4096];
    char *by_shell[] = {"sh", "-c", text, NULL};
    char *directly[] = {argv[1], "stamp", argv[2], number, NULL};
    posix_spawn_file_actions_t files;

    if (argc != 3)
        return 2;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    long long began = now();
    for (int job = 0; job < count; job++) {
        pid_t pid;
        snprintf(number, sizeof number, "%d", job);
        if (shell)
            snprintf(text, sizeof text, "%s%d%s", argv[1], job, argv[2]);
        errno = posix_spawn(&pid, shell ? "/bin/sh" : argv[1], &files, NULL,
            shell ? by_shell : directly, environ);
        if (errno)
            return fail("posix_spawn");
        running++;
        while (running && waitpid(-1, &status, running == limit ? 0 : WNOHANG) > 0) {
            running--;
            if (status)
                return 1;
        }
    }
    for (; running; running--)
        if (waitpid(-1, &status, 0) < 0 || status)
            return 1;
    printf("%lld %lld %lld\n", began, cpu(RUSAGE_SELF), cpu(RUSAGE_CHILDREN));
    return 0;
}

static int tick(int count, char *program, char *file)
{
    char number[16];
    char *words[] = {program, "stamp", file, number, NULL};
    struct timespec moment = {.tv_sec = now() / 1000000000LL + 1, .tv_nsec = 500000000L};

    for (int job = 0; job < count; job++, moment.tv_sec++) {
        pid_t pid;
        snprintf(number, sizeof number, "%d", job);
        if (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &moment, NULL))
            return 1;
        errno = posix_spawn(&pid, program, NULL, NULL, words, environ);
        if (errno)
            return fail("posix_spawn");
        if (waitpid(pid, NULL, 0) < 0)
            return fail("waitpid");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "stamp") == 0)
        return stamp(argv[2], argv[3]);
    if (argc > 4 && strcmp(argv[1], "loop") == 0)
        return loop(atoi(argv[2]), atoi(argv[3]), argc - 4, argv + 4);
    if (argc == 5 && strcmp(argv[1], "tick") == 0)
        return tick(atoi(argv[2]), argv[3], argv[4]);
    fprintf(stderr, "usage: see the head of spawn.c\n");
    return 2;
}
