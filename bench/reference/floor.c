/* floor HOST PORT CONNECTIONS SECONDS [PATH]
 *
 * The least that a closed loop costs: keep-alive, no pipelining, no latency recorded. What a client needs beyond this
 * is its own. */
#include "http.h"

int main(int count, char **arguments) {
    if (count < 5) return fprintf(stderr, "usage: floor HOST PORT CONNECTIONS SECONDS [PATH]\n"), 2;
    int connections = atoi(arguments[3]);
    long long seconds_ns = atof(arguments[4]) * 1e9;
    write_request(arguments[1], arguments[2], count > 5 ? arguments[5] : "/");
    int epoll = epoll_create1(0);
    struct connection *all = calloc(connections, sizeof *all);
    for (int i = 0; i < connections; i++) open_connection(epoll, &all[i], arguments[1], arguments[2]);
    long done = 0;
    long long begin = now_ns(), end = begin + seconds_ns;
    for (int i = 0; i < connections; i++) send_request(&all[i]);
    struct epoll_event events[256];
    for (int over = 0; !over && !bad;) {
        int ready = epoll_wait(epoll, events, 256, 100);
        over = now_ns() >= end;
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c)) continue;
            done++;
            if (!over) send_request(c);
        }
    }
    printf("requests %ld bad %ld seconds %.3f\n", done, bad, (now_ns() - begin) / 1e9);
    return bad != 0;
}
