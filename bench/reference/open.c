/* open HOST PORT CONNECTIONS SECONDS RATE
 *
 * The open model, exactly: arrival k is due at k/RATE. It is sent on a free keep-alive connection, or waits for one;
 * its latency counts from when it was due, whenever it was sent. What a client reports beyond this is its own. */
#include "http.h"

#include <sys/prctl.h>

static int compare(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

int main(int count, char **arguments) {
    if (count < 6) return fprintf(stderr, "usage: open HOST PORT CONNECTIONS SECONDS RATE\n"), 2;
    int connections = atoi(arguments[3]), idle = 0;
    double rate = atof(arguments[5]), gap_ns = 1e9 / rate;
    long arrivals = rate * atof(arguments[4]), sent = 0, done = 0;
    prctl(PR_SET_TIMERSLACK, 1);
    write_request(arguments[1], arguments[2], "/");
    int epoll = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all), **free_ones = malloc(connections * sizeof *free_ones);
    for (int i = 0; i < connections; i++) {
        open_connection(epoll, &all[i], arguments[1], arguments[2]);
        free_ones[idle++] = &all[i];
    }
    long long *latencies = malloc(arrivals * sizeof *latencies), begin = now_ns() + 1000000;
    struct epoll_event events[256];
    while (done < arrivals && !bad) {
        long long now = now_ns();
        while (sent < arrivals && idle && now >= begin + (long long)(sent * gap_ns)) {
            struct connection *c = free_ones[--idle];
            c->due = begin + (long long)(sent++ * gap_ns);
            send_request(c);
            now = now_ns();
        }
        struct timespec wait = {1, 0};
        if (sent < arrivals && idle) {
            long long left = begin + (long long)(sent * gap_ns) - now;
            if (left < 0) left = 0;
            wait = (struct timespec){left / 1000000000, left % 1000000000};
        }
        int ready = epoll_pwait2(epoll, events, 256, &wait, 0);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            latencies[done++] = now_ns() - c->due;
            free_ones[idle++] = c;
        }
    }
    qsort(latencies, done, sizeof *latencies, compare);
#define AT(share) (latencies[(long)((done - 1) * (share))] / 1e6)
    printf("requests %ld bad %ld ms: p50 %.3f p90 %.3f p99 %.3f p99.9 %.3f max %.3f\n", done, bad, AT(.5), AT(.9),
           AT(.99), AT(.999), AT(1.));
    return bad != 0;
}
