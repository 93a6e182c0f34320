/* measure OUT COMMAND...
 *
 * Runs a command and writes to OUT what it and all its children cost:
 * "user_us system_us wall_us memory_max_kb exit_code". */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long us(struct timeval t) { return t.tv_sec * 1000000LL + t.tv_usec; }

int main(int count, char **arguments) {
    if (count < 3) return fprintf(stderr, "usage: measure OUT COMMAND...\n"), 2;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t child = fork();
    if (!child) {
        execvp(arguments[2], arguments + 2);
        perror(arguments[2]);
        _exit(127);
    }
    signal(SIGINT, SIG_IGN);
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) return perror("waiting"), 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    long long wall = (end.tv_sec - begin.tv_sec) * 1000000LL + (end.tv_nsec - begin.tv_nsec) / 1000;
    FILE *out = fopen(arguments[1], "w");
    if (!out) return perror(arguments[1]), 1;
    fprintf(out, "%lld %lld %lld %ld %d\n", us(usage.ru_utime), us(usage.ru_stime), wall, usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return fclose(out) != 0;
}
