/* What both reference clients share: sockets, one preformatted request, and just enough of HTTP to find an answer's
 * end. Content-Length only; a head must come in one piece. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
    int fd;
    long left;     /* bytes of the answer to come; -1 before its head */
    long long due; /* open model: when the request under way was due, in nanoseconds */
};

static char request[1024], buffer[1 << 17];
static int request_bytes;
static long bad;

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void write_request(const char *host, const char *port, const char *path) {
    request_bytes =
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", path, host, port);
}

static void open_connection(int epoll, struct connection *c, const char *host, const char *port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, host, &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (void *)&to, sizeof to)) fail("connecting");
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->left = -1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void send_request(struct connection *c) {
    if (write(c->fd, request, request_bytes) != request_bytes) fail("writing a request");
}

/* Reads what came. 1 when the answer is complete, 0 when more is to come; what is wrong is counted in `bad`. */
static int receive(struct connection *c) {
    for (;;) {
        long bytes = recv(c->fd, buffer, sizeof buffer, 0);
        if (bytes < 0 && errno == EAGAIN) return 0;
        if (bytes <= 0) {
            bad++;
            return 0;
        }
        if (c->left < 0) {
            char *end = memmem(buffer, bytes, "\r\n\r\n", 4);
            char *length = end ? memmem(buffer, end - buffer, "Content-Length: ", 16) : 0;
            if (!length) {
                bad++;
                return 0;
            }
            bad += memcmp(buffer + 9, "200", 3) != 0;
            c->left = atol(length + 16) - (bytes - (end + 4 - buffer));
        } else {
            c->left -= bytes;
        }
        if (c->left == 0) {
            c->left = -1;
            return 1;
        }
        if (bytes < (long)sizeof buffer) return 0;
    }
}
